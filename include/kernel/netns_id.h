/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ids by which the host's namespace knows others, whoever keeps those alive. */
#ifndef KERNEL_NETNS_ID_H
#define KERNEL_NETNS_ID_H

#include "kernel/link.h"
#include "kernel/netlink.h"

/*
 * netns_id_give: the id of @ns as seen from the namespace of @nl. One that has none yet gets
 * netns_id_own(), which says which namespace it is, as cookies are never used again. An id that it
 * has already, as with a veth between the two, stays; the kernel may use that one again. It cannot
 * be taken away and ends with @ns, so there is nothing to undo.
 */
int netns_id_give(struct netlink *nl, const struct netns *ns, uint32_t *ret, struct err *e);
uint32_t netns_id_own(uint64_t cookie);

/* netns_id_of: of the namespace @fd. Return: 0, 1 if it has none, or a negative errno. */
int netns_id_of(struct netlink *nl, int fd, uint32_t *ret, struct err *e);

/* netns_id_stands: has some namespace this id? Return: 1, 0, or a negative errno. */
int netns_id_stands(struct netlink *nl, uint32_t id, struct err *e);

/*
 * netns_id_is_anothers: has a namespace this id that netns_find would find, and that has not
 * @cookie? Return: 1, 0, or a negative errno.
 */
int netns_id_is_anothers(struct netlink *nl, uint32_t id, uint64_t cookie, struct err *e);

/* Links in the namespace that has this id (0 if there is none of it as well).
 * link_by_index_in: Return: as link_by_index. */
int link_by_index_in(struct netlink *nl, uint32_t id, uint32_t ifindex, struct link_info *ret,
		     struct err *e);
int link_del_in(struct netlink *nl, uint32_t id, uint32_t ifindex, struct err *e);

#endif
