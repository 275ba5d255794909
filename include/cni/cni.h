/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CNI protocol around a plugin's modes: environment and stdin in, one JSON document and an exit
 * code out. The only layer that prints, logs or exits.
 */
#ifndef CNI_CNI_H
#define CNI_CNI_H

#include "mode/mode.h"

/*
 * cni_main: the whole main() of a plugin.
 * Without arguments: the verb in CNI_COMMAND, as a runtime calls it. With arguments (a runtime
 * passes none): --version, --help, --fields (the configuration reference), and --explain [add|del],
 * which prints the plan of the attachment named by the CNI_* variables and stdin, and changes
 * nothing.
 */
int cni_main(int argc, char **argv, const struct plugin *plugin);

#endif
