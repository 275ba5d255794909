/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error object. Every function that can fail for a reason a person must read takes a
 * `struct err *` as its last argument and returns 0 or a negative errno; the object then holds the
 * words. Nobody below cni/ prints, logs or exits: an error travels upward, once, and is told once.
 *
 * Two classes of result, never mixed (the rule of the whole tree):
 *   < 0   a failure: errno, and *e is filled in;
 *   > 0   a documented outcome that the caller must handle (an enum of the module), *e untouched;
 *   0     done.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* CNI error codes (CNI SPEC 1.1.0, "Error"); 100 and above are ours. */
enum err_code {
	ERR_VERSION = 1, /* incompatible CNI version */
	ERR_FIELD = 2,   /* unsupported field in the network configuration */
	ERR_UNKNOWN_CONTAINER = 3,
	ERR_ENVIRONMENT = 4, /* a CNI_* variable is missing or wrong */
	ERR_IO = 5,
	ERR_DECODE = 6,       /* the JSON does not parse */
	ERR_CONFIG = 7,       /* the JSON parses, its content is wrong */
	ERR_AGAIN = 11,       /* transient: the runtime should try again later */
	ERR_UNAVAILABLE = 50, /* STATUS: the plugin cannot serve ADD */
	ERR_LIMITED = 51,     /* STATUS: as 50, and existing containers may be limited */
	ERR_KERNEL = 100,     /* the kernel refused a step of the plan */
	ERR_STORE = 101,      /* the state file cannot be read or written */
	ERR_EXISTS = 102,     /* this attachment, or its interface, exists already */
	ERR_ADDRESS = 103,    /* the address asked for cannot be had */
	ERR_EXHAUSTED = 104,  /* no address is left in the pool */
	ERR_DELEGATE = 105,   /* a foreign IPAM plugin failed without a CNI error of its own */
	ERR_CHECK = 106,      /* CHECK found a difference between the record and the kernel */
	ERR_PORT = 107,       /* the host port asked for cannot be had */
};

struct err {
	int code;           /* enum err_code, or a delegate's own code; 0 = no error */
	int sys;            /* positive errno, 0 if none */
	char msg[768];      /* the cause: one sentence, names key and value */
	char details[1024]; /* the remedy, and what is allowed; may be empty */
};

/*
 * err_set: fill @e and forget what it held.
 * @sys: positive errno, or 0 where the cause is no system error (then -EINVAL is returned).
 * The text of the errno is *not* appended: say it with "%s", strerror(sys), or err_sys().
 * Return: always -@sys (or -EINVAL), so that `return err_set(...)` reads well.
 */
int err_set(struct err *e, enum err_code code, int sys, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* err_sys: as err_set, with ": <text of sys>" appended. */
int err_sys(struct err *e, enum err_code code, int sys, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* err_hint: set the details (the remedy) of an error already set. */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* err_prefix: put context in front of the message: "prefix: message". */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
