/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An empty C process: what any program costs before it does anything. */
int main(void)
{
	return 0;
}
