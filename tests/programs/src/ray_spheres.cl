/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rays against spheres: nearest hit, normal, two bounces of light. */
#include "program.h"

PROGRAM(.grid = {48, 32}, .block = {16, 4}, .in = 32, .out = 48 * 32, .fill = FILL_UNIT)

struct hit {
	float t;
	int which;
};

static struct hit nearest(GLOBAL const float *sphere, float3 from, float3 to)
{
	struct hit best = {1e20f, -1};

	for (int k = 0; k < 8; k++) {
		float3 c = {sphere[4 * k] * 3.0f, sphere[4 * k + 1] * 2.0f, sphere[4 * k + 2] + 5.0f};
		float3 d = from - c;
		float r = 0.5f + 0.25f * sphere[4 * k + 3];
		float b = d.x * to.x + d.y * to.y + d.z * to.z;
		float q = b * b - (d.x * d.x + d.y * d.y + d.z * d.z - r * r), t;

		if (q <= 0)
			continue;
		t = -b - root32(q);
		if (t > 0.001f && t < best.t)
			best = (struct hit){t, k};
	}
	return best;
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	GLOBAL const float *sphere = (GLOBAL const float *)in;
	uint x = global_id(0), y = global_id(1);
	float3 from = {0, 0, 0}, to = {((float)x - 24) / 24, ((float)y - 16) / 24, 1};
	float light = 0, weight = 1;

	to /= root32(to.x * to.x + to.y * to.y + to.z * to.z);
	for (int bounce = 0; bounce < 3; bounce++) {
		struct hit h = nearest(sphere, from, to);
		float3 normal;
		float along;

		if (h.which < 0) {
			light += weight * (to.y + 1.0f) * 0.5f;
			break;
		}
		from += to * h.t;
		normal = from - (float3){sphere[4 * h.which] * 3.0f, sphere[4 * h.which + 1] * 2.0f,
								 sphere[4 * h.which + 2] + 5.0f};
		normal /= root32(normal.x * normal.x + normal.y * normal.y + normal.z * normal.z);
		along = to.x * normal.x + to.y * normal.y + to.z * normal.z;
		to -= normal * (2.0f * along);
		weight *= 0.7f;
		light += weight * 0.1f * (float)(h.which + 1);
	}
	out[y * 48 + x] = bits32(light);
}
