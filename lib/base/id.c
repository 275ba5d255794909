/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ENI ids as EC2 writes them, and what is derived from them. */
#include "base/id.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

void id_eni_new(char ret[static ENI_ID_TEXT])
{
	uuid_t u;
	char hex[33];

	uuid_generate_random(u);
	for (size_t i = 0; i < sizeof(u); i++)
		snprintf(hex + 2 * i, 3, "%02x", u[i]);
	/* Digits 12 and 16 are the UUID's version and variant: not random, so pass over them. */
	snprintf(ret, ENI_ID_TEXT, "eni-%.12s%.3s%.2s", hex, hex + 13, hex + 17);
}

static unsigned nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* Five bytes of the id behind a first octet that says whose end it is. */
static struct mac eni_mac(const char *eni_id, uint8_t first)
{
	struct mac m = { .b = { first } };

	for (int i = 0; i < 5; i++)
		m.b[i + 1] = (uint8_t)(nibble(eni_id[4 + 2 * i]) << 4 | nibble(eni_id[5 + 2 * i]));
	return m;
}

struct mac id_eni_mac(const char *eni_id)
{
	return eni_mac(eni_id, 0x02);
}

struct mac id_eni_host_mac(const char *eni_id)
{
	return eni_mac(eni_id, 0x06);
}

void id_eni_ifname(const char *eni_id, char ret[static 16])
{
	snprintf(ret, 16, "vpc%.12s", eni_id + 4);
}
