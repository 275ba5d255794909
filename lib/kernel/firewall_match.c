/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values, verdicts, and matches of registers whose bits may be unknown. */
#include "kernel/firewall_vm.h"

#include <string.h>

/* ---- data ---- */

/* The bytes of a value in NFTA_*_DATA. Return: its length, 0 if it is none. */
size_t fw_value_of(const struct nlattr *data, const uint8_t **ret)
{
	struct nlattr *tb[NFTA_DATA_MAX + 1];

	if (!nft_nested(tb, NFTA_DATA_MAX, data) || !tb[NFTA_DATA_VALUE])
		return 0;
	*ret = nla_data(tb[NFTA_DATA_VALUE]);
	return (size_t)nla_len(tb[NFTA_DATA_VALUE]);
}

bool fw_read_verdict(const struct nlattr *data, struct fw_step *ret)
{
	struct nlattr *value[NFTA_DATA_MAX + 1], *tb[NFTA_VERDICT_MAX + 1];

	if (!nft_nested(value, NFTA_DATA_MAX, data) ||
	    !nft_nested(tb, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT]) || !tb[NFTA_VERDICT_CODE])
		return false;
	ret->code = (int)ntohl(attr_u32(tb[NFTA_VERDICT_CODE]));
	if (!nft_text(tb[NFTA_VERDICT_CHAIN], ret->chain, sizeof(ret->chain)))
		ret->chain[0] = '\0';
	return true;
}

bool fw_is_known(const struct fw_state *s, int reg, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s->k[reg + (int)i] != 0xff)
			return false;
	return true;
}

/* Do the known bits differ? */
bool fw_differs(const struct fw_state *s, int reg, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((s->v[reg + (int)i] ^ data[i]) & s->k[reg + (int)i])
			return true;
	return false;
}

static enum fw_truth not(enum fw_truth t) {
	return t == FW_YES ? FW_NO : t == FW_NO ? FW_YES : FW_UNSURE;
}

/* How the least and the greatest value compare that the known bits allow. */
static void bounds(const struct fw_state *s, int reg, const uint8_t *value, size_t len,
		   int *ret_least, int *ret_most)
{
	uint8_t least[FW_REGS] = { 0 }, most[FW_REGS] = { 0 };

	for (size_t i = 0; i < len; i++) {
		least[i] = s->v[reg + (int)i] & s->k[reg + (int)i];
		most[i] = least[i] | (uint8_t)~s->k[reg + (int)i];
	}
	*ret_least = memcmp(least, value, len);
	*ret_most = memcmp(most, value, len);
}

static enum fw_truth is_at_least(const struct fw_state *s, int reg, const uint8_t *value,
				 size_t len)
{
	int least, most;

	bounds(s, reg, value, len, &least, &most);
	return least >= 0 ? FW_YES : most < 0 ? FW_NO : FW_UNSURE;
}

static enum fw_truth is_at_most(const struct fw_state *s, int reg, const uint8_t *value, size_t len)
{
	int least, most;

	bounds(s, reg, value, len, &least, &most);
	return most <= 0 ? FW_YES : least > 0 ? FW_NO : FW_UNSURE;
}

/* ---- matches ---- */

enum fw_truth fw_cmp(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_CMP_MAX + 1];
	const uint8_t *value = NULL;
	enum fw_truth equal;
	uint32_t op;
	size_t len;
	int reg;

	if (!nft_nested(tb, NFTA_CMP_MAX, data))
		return FW_UNSURE;
	len = fw_value_of(tb[NFTA_CMP_DATA], &value);
	reg = fw_reg(tb[NFTA_CMP_SREG], len);
	op = ntohl(attr_u32(tb[NFTA_CMP_OP]));
	if (!len || reg < 0)
		return FW_UNSURE;
	equal = fw_differs(s, reg, value, len) ? FW_NO
		: fw_is_known(s, reg, len)     ? FW_YES
					       : FW_UNSURE;
	if (op == NFT_CMP_EQ)
		return equal;
	if (op == NFT_CMP_NEQ)
		return not(equal);
	switch (op) {
	case NFT_CMP_LT:
		return not(is_at_least(s, reg, value, len));
	case NFT_CMP_GTE:
		return is_at_least(s, reg, value, len);
	case NFT_CMP_LTE:
		return is_at_most(s, reg, value, len);
	default:
		return not(is_at_most(s, reg, value, len));
	}
}

enum fw_truth fw_range(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_RANGE_MAX + 1];
	const uint8_t *from = NULL, *to = NULL;
	enum fw_truth low, high;
	size_t len;
	int reg;

	if (!nft_nested(tb, NFTA_RANGE_MAX, data))
		return FW_UNSURE;
	len = fw_value_of(tb[NFTA_RANGE_FROM_DATA], &from);
	reg = fw_reg(tb[NFTA_RANGE_SREG], len);
	if (!len || fw_value_of(tb[NFTA_RANGE_TO_DATA], &to) != len || reg < 0)
		return FW_UNSURE;
	low = is_at_least(s, reg, from, len);
	high = is_at_most(s, reg, to, len);
	low = low < high ? low : high;
	return ntohl(attr_u32(tb[NFTA_RANGE_OP])) == NFT_RANGE_EQ ? low : not(low);
}

enum fw_truth fw_bitwise(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_BITWISE_MAX + 1];
	const uint8_t *mask = NULL, *xor = NULL;
	size_t len;
	int from, to;

	if (!nft_nested(tb, NFTA_BITWISE_MAX, data))
		return FW_UNSURE;
	len = ntohl(attr_u32(tb[NFTA_BITWISE_LEN]));
	from = fw_reg(tb[NFTA_BITWISE_SREG], len);
	to = fw_reg(tb[NFTA_BITWISE_DREG], len);
	if (!len || from < 0 || to < 0)
		return FW_UNSURE;
	if (fw_value_of(tb[NFTA_BITWISE_MASK], &mask) < len ||
	    fw_value_of(tb[NFTA_BITWISE_XOR], &xor) < len) {
		fw_forget(s, to, len); /* a shift, or one with two registers */
		return FW_YES;
	}
	for (size_t i = 0; i < len; i++) {
		s->v[to + (int)i] = (s->v[from + (int)i] & mask[i]) ^ xor[i];
		s->k[to + (int)i] = s->k[from + (int)i] | (uint8_t)~mask[i];
	}
	return FW_YES;
}

/* Both ways are the same: the bytes of each number in the other order. */
enum fw_truth fw_byteorder(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_BYTEORDER_MAX + 1];
	uint8_t v[FW_REGS], k[FW_REGS];
	size_t len, size;
	int from, to;

	if (!nft_nested(tb, NFTA_BYTEORDER_MAX, data))
		return FW_UNSURE;
	len = ntohl(attr_u32(tb[NFTA_BYTEORDER_LEN]));
	size = ntohl(attr_u32(tb[NFTA_BYTEORDER_SIZE]));
	from = fw_reg(tb[NFTA_BYTEORDER_SREG], len);
	to = fw_reg(tb[NFTA_BYTEORDER_DREG], len);
	if (!len || !size || len % size || from < 0 || to < 0)
		return FW_UNSURE;
	for (size_t i = 0; i < len; i++) {
		size_t other = i - i % size + size - 1 - i % size;

		v[i] = s->v[from + (int)other];
		k[i] = s->k[from + (int)other];
	}
	memcpy(s->v + to, v, len);
	memcpy(s->k + to, k, len);
	return FW_YES;
}
