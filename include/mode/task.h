/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task's side of an interface: what every mode that makes one does alike. */
#ifndef MODE_TASK_H
#define MODE_TASK_H

#include "plan/plan.h"

#define IPV6_MTU_MIN 1280 /* RFC 8200, section 5: below it the kernel does not run IPv6 */

/* task_judge_mtu: IPv6 does not go in frames too small for it. Code 7. */
int task_judge_mtu(uint32_t mtu, bool has_ipv6, struct err *e);
/* task_accept_mtu: likewise of a whole record: the MTU may be the uplink's, the address another
 * plugin's. */
int task_accept_mtu(const struct attachment *a, struct err *e);
/* task_accept_gateways: the kernel takes no gateway of a route that is not on the link. Code 7. */
int task_accept_gateways(const struct attachment *a, struct err *e);
/* task_is_first: is it the interface that the task's default route leads by? */
bool task_is_first(const struct attachment *a);
/* task_metric: of the task's routes that are given none; 0 for eth0's, which are preferred. */
uint32_t task_metric(const struct attachment *a);
/*
 * plan_task_ipv6: refuse router advertisements; no IPv6 at all where no address was given, and in
 * the task IPv6 in any case where one was.
 */
void plan_task_ipv6(struct plan *p, int link, enum side side, const char *ifname);
/*
 * plan_task_arp: where another interface of the task may be on the same link, each answers ARP for
 * its own addresses only. Otherwise neighbours may learn either MAC for an address.
 */
void plan_task_arp(struct plan *p, int link);
/*
 * plan_task_routes: the task's routes of the record, with task_metric where none is set; with
 * source_routed a table of its own, and the rules that lead there.
 * @connected: the subnets of its addresses are on the link.
 */
void plan_task_routes(struct plan *p, int link, const struct ifref *dev, bool connected);

#endif
