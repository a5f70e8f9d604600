/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C has no kernels: this one calls run() of a program in C, with generic pointers. */
void run(const unsigned *in, unsigned *out, unsigned n);

__kernel void kernel_of_c(__global const unsigned *in, __global unsigned *out, unsigned n)
{
	run(in, out, n);
}
