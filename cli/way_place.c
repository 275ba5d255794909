/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces on a packet's way, and what is told of them. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kernel/sysctl.h"
#include "way.h"

/* ---- namespaces ---- */

static int open_sockets(struct place *p, const struct netns *host, struct err *e)
{
	int r = netlink_open(NETLINK_ROUTE, &p->ns, host, &p->route, e);

	return r < 0 ? r : netlink_open(NETLINK_NETFILTER, &p->ns, host, &p->nft, e);
}

static int open_place(struct way *w, struct place *p, const json *row, struct err *e)
{
	const char *path = row ? live_text(row, "netns") : NULL,
		   *name = path ? netns_name(path) : NULL;
	int r;

	*p = (struct place){ .name = "host",
			     .ip = "ip",
			     .ns = NETNS_NONE,
			     .route = NETLINK_CLOSED,
			     .nft = NETLINK_CLOSED };
	if (row) {
		p->row = row;
		p->name = live_short(row);
		p->path = path;
		live_ip(row, p->ip);
		snprintf(p->run, sizeof(p->run),
			 name ? "ip netns exec %.100s " : "nsenter --net=%.100s ",
			 name ? name : path);
	}
	r = row ? live_netns(row, &w->host->ns, &p->ns, e) : netns_self(&p->ns, e);
	return r < 0 ? r : open_sockets(p, row ? &w->host->ns : &p->ns, e);
}

static void close_place(struct place *p)
{
	p->fw = fw_close(p->fw);
	netlink_close(&p->route);
	netlink_close(&p->nft);
	netns_close(&p->ns);
}

static bool is_of_host(const json *row)
{
	return !row || !strcmp(live_text(row, "mode"), "host");
}

int way_place(struct way *w, const json *row, struct place **ret, struct err *e)
{
	const char *path = is_of_host(row) ? "" : live_text(row, "netns");
	int r;

	for (unsigned i = 0; i < w->n_places; i++) {
		*ret = &w->places[i];
		if (!strcmp((*ret)->path ? (*ret)->path : "", path))
			return 0;
	}
	if (w->n_places == PLACES_MAX)
		return err_set(e, ERR_KERNEL, ELOOP, "the packet passes more than %d namespaces",
			       PLACES_MAX);
	*ret = &w->places[w->n_places];
	r = open_place(w, *ret, is_of_host(row) ? NULL : row, e);
	if (r < 0)
		close_place(*ret);
	else
		w->n_places++;
	return r;
}

int way_open(struct way *w, const json *rows, struct err *e)
{
	*w = (struct way){ .rows = rows };
	return way_place(w, NULL, &w->host, e);
}

void way_close(struct way *w)
{
	for (unsigned i = 0; i < w->n_places; i++)
		close_place(&w->places[i]);
}

long way_sysctl(struct way *w, const struct place *at, long fallback, const char *fmt, ...)
{
	char path[128], text[32];
	struct err ignored;
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (netns_enter(&at->ns, &ignored) < 0)
		return fallback;
	r = sysctl_read(path, text, sizeof(text), &ignored);
	if (netns_enter(&w->host->ns, &ignored) < 0)
		abort(); /* nothing that follows would be about the host */
	return r == 0 ? strtol(text, NULL, 10) : fallback;
}

/* ---- hops ---- */

const char *way_fate_name(enum fate fate)
{
	static const char *const names[] = {
		[FATE_NONE] = "ok",         [FATE_ARRIVES] = "arrives", [FATE_LEAVES] = "leaves",
		[FATE_REFUSED] = "refused", [FATE_DIES] = "dies",       [FATE_UNSURE] = "unsure",
	};

	return names[fate];
}

json *way_tell(struct way *w, const char *about, const char *fmt, ...)
{
	json *hop = json_add_object(w->hops, NULL);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_add_string(hop, "at", w->at->path ? w->at->name : "host");
	json_add_string(hop, "about", about);
	json_add_string(hop, "verdict", "ok");
	json_add_string(hop, "finding", text);
	return hop;
}

void way_command(json *hop, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_add_string(hop, "command", text);
}

void way_why(json *hop, const char *why)
{
	json_add_string(hop, "why", why);
}

static void judge(json *hop, enum fate fate, const char *fix)
{
	json_remove(hop, "verdict");
	json_add_string(hop, "verdict", way_fate_name(fate));
	if (*fix)
		json_add_string(hop, "fix", fix);
}

void way_ends(struct way *w, json *hop, enum fate fate, const char *fix, ...)
{
	va_list ap;

	va_start(ap, fix);
	vsnprintf(w->fix, sizeof(w->fix), fix, ap);
	va_end(ap);
	w->fate = fate;
	text_printable(w->reason, sizeof(w->reason), live_text(hop, "finding"));
	judge(hop, fate, w->fix);
}

void way_doubts(struct way *w, json *hop, const char *fix)
{
	judge(hop, FATE_UNSURE, fix);
	if (w->doubt)
		return;
	w->doubt = hop;
	w->doubt_answer = w->answer;
}

void way_settle(struct way *w)
{
	char finding[480];

	if (!w->doubt || w->fate == FATE_DIES)
		return;
	w->fate = FATE_UNSURE;
	text_printable(finding, sizeof(finding), live_text(w->doubt, "finding"));
	snprintf(w->reason, sizeof(w->reason), "%s%s", w->doubt_answer ? "the answer: " : "",
		 finding);
	snprintf(w->fix, sizeof(w->fix), "%s", live_text(w->doubt, "fix"));
}
