/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Global variables with initial values, pointers between them, constant strings. */
#include "program.h"

PROGRAM(.grid = {100}, .block = {100}, .in = 100, .out = 400)

struct month {
	const char *name;
	short days;
	const struct month *next;
};

static const struct month april = {"april", 30, 0}, march = {"march", 31, &april};
static const struct month february = {"february", 28, &march}, january = {"january", 31, &february};
static const struct month *const months[4] = {&january, &february, &march, &april};
static uint counter = 1000;
static const double factors[3] = {0.5, 1.25, -3.0};
static const uchar odd_bytes[7] = {1, 3, 5, 7, 9, 11, 13};

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), length = 0;
	const struct month *m = months[in[i] & 3];

	for (uint k = 0; k < i % 5; k++)
		m = m->next ? m->next : months[i & 3];
	while (m->name[length])
		length++;
	out[4 * i] = (uint)m->name[i % length] << 16 | (uint)m->days;
	out[4 * i + 1] = length * odd_bytes[in[i] % 7];
	out[4 * i + 2] = (uint)(int)(factors[i % 3] * (double)(int)(in[i] >> 8));
	__atomic_fetch_add(&counter, 3, __ATOMIC_RELAXED);
	sync_group();
	out[4 * i + 3] = counter;
}
