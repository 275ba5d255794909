/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks for who has configured none: a VPC of two subnets, a bridge, the host's network, no
 * network. Their addresses are of 10.200.0.0/16 and 10.201.0.0/24, which few LANs use.
 */
#include "network.h"

const struct builtin builtins[] = {
	{ "lab-awsvpc",
	  "{ \"cniVersion\": \"1.1.0\", \"name\": \"lab-awsvpc\", \"plugins\": [ {"
	  "  \"type\": \"awsvpc\","
	  "  \"capabilities\": { \"ips\": true, \"mac\": true, \"portMappings\": true },"
	  "  \"vpc\": { \"cidr\": \"10.200.0.0/16\" },  \"ipMasq\": true,"
	  "  \"ipam\": { \"type\": \"task-ipam\", \"ranges\": [["
	  "    { \"subnet\": \"10.200.1.0/24\", \"id\": \"subnet-a\", \"az\": \"lab-1a\" },"
	  "    { \"subnet\": \"10.200.2.0/24\", \"id\": \"subnet-b\", \"az\": \"lab-1b\" } ]] }"
	  "} ] }" },
	{ "lab-bridge",
	  "{ \"cniVersion\": \"1.1.0\", \"name\": \"lab-bridge\", \"plugins\": [ {"
	  "  \"type\": \"task-bridge\","
	  "  \"capabilities\": { \"ips\": true, \"mac\": true, \"portMappings\": true },"
	  "  \"bridge\": \"br-lab\",  \"isDefaultGateway\": true,  \"ipMasq\": true,"
	  "  \"ipam\": { \"type\": \"task-ipam\", \"ranges\": [["
	  "    { \"subnet\": \"10.201.0.0/24\", \"id\": \"bridge\" } ]] }} ] }" },
	{ "lab-host", "{ \"cniVersion\": \"1.1.0\", \"name\": \"lab-host\", \"plugins\": [ {"
		      "  \"type\": \"task-host\","
		      "  \"capabilities\": { \"ips\": true, \"mac\": true, \"portMappings\": true }"
		      "} ] }" },
	{ "lab-none", "{ \"cniVersion\": \"1.1.0\", \"name\": \"lab-none\", \"plugins\": [ {"
		      "  \"type\": \"task-none\","
		      "  \"capabilities\": { \"ips\": true, \"mac\": true, \"portMappings\": true }"
		      "} ] }" },
	{ NULL, NULL },
};
