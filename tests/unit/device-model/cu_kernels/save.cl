/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that keep state everywhere a wave has some: out[i] for each work item i. */
#define LID __builtin_amdgcn_workitem_id_x()
#define GROUP __builtin_amdgcn_workgroup_size_x()
#define GID (__builtin_amdgcn_workgroup_id_x() * GROUP + LID)
#define BARRIER                                                                                    \
	__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");                                     \
	__builtin_amdgcn_s_barrier();                                                              \
	__builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup")

static uint mix(uint n)
{
	n = (n ^ n >> 15) * 0x2c1b3c6du;
	n = (n ^ n >> 12) * 0x297a2d39u;
	return n ^ n >> 15;
}

/* Sorts each workgroup's numbers in LDS, barrier after barrier. */
kernel void sort(global uint *out, uint rounds)
{
	local uint a[256];
	uint l = LID;

	for (uint k = l; k < 256; k += 64) /* the last workgroup has fewer items */
		a[k] = mix(GID - l + k);
	for (uint r = 0; r < rounds; r++) {
		uint first = 2 * l + (r & 1);

		BARRIER;
		if (first + 1 < GROUP) {
			uint x = a[first], y = a[first + 1];

			a[first] = x < y ? x : y;
			a[first + 1] = x < y ? y : x;
		}
	}
	BARRIER;
	out[GID] = a[l];
}

/* Histogram in LDS, then in memory. */
kernel void atomics(global uint *out, uint rounds)
{
	local uint bin[64];
	uint i = GID;

	if (LID < 64)
		bin[LID] = 0;
	BARRIER;
	for (uint r = 0; r < rounds; r++)
		__atomic_fetch_add(&bin[mix(i + r) & 63], r, __ATOMIC_RELAXED);
	BARRIER;
	if (LID < 64)
		__atomic_fetch_add(&out[LID], bin[LID], __ATOMIC_RELAXED);
}

/* An array in scratch, indexed by what is in it. */
kernel void scratch(global uint *out, uint rounds)
{
	uint i = GID, a[24];

	for (uint k = 0; k < 24; k++)
		a[k] = mix(i) * (k + 1) ^ k;
	for (uint r = 0; r < rounds; r++)
		a[a[r % 24] % 24] += a[(r * 7 + i) % 24];
	out[i] = a[i % 24] + a[5];
}

/* Every lane leaves the loops at another time. */
kernel void divergent(global uint *out, uint rounds)
{
	uint n = mix(GID) % 200 + 1, steps = 0;
	float f = (float)n;

	while (steps < rounds + GID % 7) {
		if (n & 1) {
			n = 3 * n + 1;
			f = f * 1.25f - (float)steps;
		} else {
			n >>= 1;
		}
		for (uint k = 0; k < (n & 3); k++)
			f += 1.0f / (float)(k + n);
		steps++;
	}
	out[GID] = steps ^ as_uint(f);
}
