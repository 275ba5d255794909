/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CNI's `bandwidth` capability, for every mode that has an end of its own on the host. */
#ifndef MODE_BANDWIDTH_H
#define MODE_BANDWIDTH_H

#include "plan/plan.h"

/*
 * bandwidth_judge: can it be made? A rate needs a burst and the reverse; both must be numbers that
 * the kernel can hold.
 * @where: what stands in front of the keys in messages: "runtimeConfig.bandwidth".
 * Return: 0, or -EINVAL with code 7, which names the key.
 */
int bandwidth_judge(const struct bandwidth *b, const char *where, struct err *e);

/*
 * plan_bandwidth: append the steps for p->a->bandwidth, none if nothing is limited. What goes to
 * the task is limited as it leaves the host end; what comes from it by the device p->a->ifb_ifname.
 * A burst below one full frame is raised to it: the kernel would otherwise drop every such frame.
 * @veth: number of the step that @host_dev dies with.
 */
void plan_bandwidth(struct plan *p, int veth, const struct ifref *host_dev);

#endif
