/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structures by value and by pointer, nested, returned, copied, in arrays. */
#include "program.h"

PROGRAM(.grid = {192}, .block = {64}, .in = 192 * 4, .out = 192 * 6)

struct point {
	short x, y;
};
struct shape {
	char kind;
	struct point corner[3];
	long weight;
	union {
		float radius;
		uint raw;
	} u;
};

static NOINLINE struct point middle(struct point a, struct point b)
{
	return (struct point){(short)((a.x + b.x) / 2), (short)((a.y + b.y) / 2)};
}

static NOINLINE struct shape make(uint seed)
{
	struct shape s = {.kind = (char)seed, .weight = (long)seed * -3};

	for (int k = 0; k < 3; k++)
		s.corner[k] = (struct point){(short)(seed >> k), (short)(seed << k)};
	s.u.radius = (float)(seed & 1023);
	return s;
}

static NOINLINE long measure(struct shape s, const struct shape *other)
{
	struct point m = middle(s.corner[1], other->corner[2]);

	return s.weight + other->weight * s.kind + m.x - m.y;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0);
	struct shape list[4], copy;
	long sum = 0;

	for (int k = 0; k < 4; k++)
		list[k] = make(in[4 * i + k]);
	copy = list[in[i] & 3];
	list[1] = list[in[4 * i + 1] & 3];
	for (int k = 0; k < 4; k++)
		sum = sum * 7 + measure(list[k], &copy);
	out[6 * i] = (uint)sum;
	out[6 * i + 1] = (uint)(sum >> 32);
	out[6 * i + 2] = copy.u.raw;
	out[6 * i + 3] = (uint)(uchar)list[1].kind;
	out[6 * i + 4] = (ushort)list[2].corner[in[i] % 3].y;
	out[6 * i + 5] = sizeof(struct shape);
}
