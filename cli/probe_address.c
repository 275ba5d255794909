/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the address the task's own, and with it every port? */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "questions.h"
#include "wire.h"

void ask_own_address(struct lab *lab, struct answer *ret)
{
	const struct ip own = lab_own(&lab->a);
	char text[IP_TEXT];

	ip_text(&own, text);
	if (!lab->a.nic.address.ip.family)
		answer_no(ret, "only %s", text);
	else if (wire_has(lab, &lab->host, &own))
		answer_no(ret, "%s is the host's", text);
	else
		answer_yes(ret, "%s/%u", text, lab->a.nic.address.len);
}

static int serve(const struct lab *lab, const struct lab_task *t)
{
	const struct ip any = { .family = AF_INET };
	const struct sockaddr_in at = wire_sockaddr(&any, TASK_PORT);

	return wire_bound(lab, &t->ns, SOCK_STREAM, &at);
}

static void listen_both(struct lab *lab, const struct lab_task *second, struct answer *ret)
{
	const bool own = lab->a.nic.address.ip.family != 0;
	const struct ip first_ip = own ? lab_own(&lab->a) : lab_client(lab, &lab->a);
	const struct ip second_ip = own ? lab_own(second) : lab_client(lab, second);
	cleanup_close int one = serve(lab, &lab->a), two = serve(lab, second);
	char first_text[IP_TEXT], second_text[IP_TEXT];

	if (one < 0)
		not_tried(ret, "not even one listens: %s", wire_words(one));
	else if (two < 0)
		answer_no(ret, "the second cannot listen: %s", wire_words(two));
	else if (ip_is_loopback(&first_ip))
		answer_yes(ret, "each at a loopback of its own");
	else
		answer_yes(ret, "%s:%d and %s:%d", ip_text(&first_ip, first_text), TASK_PORT,
			   ip_text(&second_ip, second_text), TASK_PORT);
}

/* Each at its own address; but a port of the host leads to one of them. */
static void publish_both(struct lab *lab, struct answer *ret)
{
	char both[sizeof(ret->detail)];
	struct lab_task third;
	struct err e, ignored;
	size_t len;

	snprintf(both, sizeof(both), "%s", ret->detail);
	len = strlen(both);
	if (lab_attach(lab, lab->list, "third", TASK_PORT, &third, &e) < 0 &&
	    cli_status(&e) == EXIT_TAKEN)
		snprintf(both + len, sizeof(both) - len, "; published once: %.*s",
			 answer_quote(e.msg), e.msg);
	lab_detach(lab, &third, &ignored);
	answer_yes(ret, "%s", both);
}

void ask_same_port(struct lab *lab, struct answer *ret)
{
	const struct ip own = lab_own(&lab->a);
	/* By addresses, not by ports. */
	const bool apart = lab->a.nic.address.ip.family && !wire_has(lab, &lab->host, &own);
	struct lab_task second;
	struct err e, ignored;

	if (lab_attach(lab, lab->list, "second", apart ? 0 : TASK_PORT, &second, &e) == 0)
		listen_both(lab, &second, ret);
	else if (cli_status(&e) == EXIT_TAKEN)
		answer_no(ret, "%.*s", answer_quote(e.msg), e.msg);
	else
		not_tried(ret, "the second could not be attached: %s", e.msg);
	lab_detach(lab, &second, &ignored);
	if (apart && lab->mode->publishes && ret->verdict == ANSWER_YES)
		publish_both(lab, ret);
}
