/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CNI result of any version as one struct: prevResult and a delegate's answer are read into it,
 * an attachment is appended to it, and it is written in the shape of whatever version is spoken.
 * Its strings are borrowed: from the document read, or from the attachment and configuration added.
 */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include "cni/call.h"

#define RESULT_INTERFACES 64
#define RESULT_IPS        64
#define RESULT_ROUTES     256
#define RESULT_DNS        32

struct result_interface {
	const char *name;
	const char *mac, *sandbox; /* NULL or "": none */
	const char *socket_path, *pci_id;
	uint32_t mtu; /* 0: not told */
};

struct result_ip {
	struct cidr address;
	struct ip gateway; /* family 0: none */
	int interface;     /* -1: none */
};

struct result_list {
	const char *text[RESULT_DNS];
	unsigned n;
};

struct result {
	struct result_interface interfaces[RESULT_INTERFACES];
	unsigned n_interfaces;
	struct result_ip ips[RESULT_IPS];
	unsigned n_ips;
	struct route routes[RESULT_ROUTES];
	unsigned n_routes;
	struct result_list nameservers, search, options;
	const char *domain;

	char mac_texts[RESULT_INTERFACES][MAC_TEXT]; /* of the interfaces that we add */
};

struct result_source {
	const char *what;   /* "prevResult", for messages */
	enum err_code code; /* of errors about its content */
	bool abbreviated;   /* an IPAM plugin's: interfaces mean nothing */
};

/*
 * result_read: append what @doc says, of whichever version it is.
 * Return: 0 or -EINVAL; a document that is no object is code 6, or @source's code if that is ours.
 */
int result_read(const json *doc, const struct result_source *source, struct result *ret,
		struct err *e);

/*
 * result_judge_ifname: code 7 where the task's interface would be the second of its name: in
 * prevResult, or beside the bridge. Not for lo, which there is but one of.
 */
int result_judge_ifname(const struct result *r, const struct attachment *a, struct err *e);
/*
 * result_add_attachment: append the interfaces, addresses and routes of @a; a mode without
 * interface of its own adds only the latter two. @a must live as long as @r.
 */
int result_add_attachment(struct result *r, const struct attachment *a, bool has_interface,
			  struct err *e);
/*
 * result_add_view: append interfaces of the host, or of the task's namespace at @netns, and their
 * addresses, save those that an earlier plugin of the chain has told: runtimes keep interfaces by
 * name. @v and @netns must live as long as @r.
 */
int result_add_view(struct result *r, const struct mode_view *v, const char *netns, struct err *e);
/* result_add_dns: append @dns (borrowed). */
int result_add_dns(struct result *r, const struct pool_dns *dns, struct err *e);
/* result_take_dns: append the DNS part of @from (borrowed). */
int result_take_dns(struct result *r, const struct result *from, struct err *e);
bool result_dns_is_set(const struct pool_dns *dns);

/*
 * result_to_attachment: what a foreign IPAM plugin gave: addresses, where the host is
 * their gateway, that too; routes, gw filled in.
 */
int result_to_attachment(const struct result *r, struct attachment *a, struct err *e);

/* result_write: @ret in the shape of @spec; the caller frees it. */
int result_write(const struct result *r, enum spec spec, char **ret, struct err *e);

#endif
