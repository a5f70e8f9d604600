/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work items take tasks from a queue and append new ones until it is empty. */
#include "program.h"

PROGRAM(.grid = {128}, .block = {128}, .in = 64, .out = 8)

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	LOCAL uint tasks[2048], head, tail, sum, done;
	uint t = local_id(0);

	if (!t) {
		head = sum = done = 0;
		tail = 64;
	}
	if (t < 64)
		tasks[t] = in[t] & 0xfff;
	sync_group();
	for (uint rounds = 0; rounds < 64; rounds++) {
		uint end = tail, at;

		sync_group();
		while ((at = fetch_add(&head, 1)) < end) {
			uint task = tasks[at];

			fetch_add(&sum, task);
			fetch_add(&done, 1);
			for (uint k = 0; task > 100 && k < 2; k++) {
				uint slot = fetch_add(&tail, 1);

				if (slot < 2048)
					tasks[slot] = task / (3 + k);
			}
		}
		sync_group();
		if (!t)
			head = end;
		sync_group();
		if (tail == end)
			break;
	}
	if (!t) {
		out[0] = sum;
		out[1] = done;
		out[2] = tail;
	}
}
