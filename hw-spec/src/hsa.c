/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/base.h>
#include <gv/hsa.h>
#include <gv/hw_spec.h>

/* SQ_BUF_RSRC_WORD1 and WORD3 */
enum {
	RSRC1__BASE_HI__LO = 0,
	RSRC1__BASE_HI__BITS = 16,
	RSRC1__SWIZZLE_ENABLE__LO = 31,
	RSRC1__SWIZZLE_ENABLE__BITS = 1,
	RSRC3__INDEX_STRIDE__LO = 21,
	RSRC3__INDEX_STRIDE__BITS = 2,
	RSRC3__ADD_TID_ENABLE__LO = 23,
	RSRC3__ADD_TID_ENABLE__BITS = 1,
	INDEX_STRIDE_64 = 3,
};

void gv_scratch_resource(uint64_t va, uint64_t bytes, uint32_t word[4])
{
	word[0] = (uint32_t)va;
	word[1] = GV_PUT(RSRC1, BASE_HI, va >> 32) | GV_PUT(RSRC1, SWIZZLE_ENABLE, 1);
	word[2] = (uint32_t)GV_MIN(bytes, (uint64_t)UINT32_MAX);
	word[3] = GV_PUT(RSRC3, INDEX_STRIDE, INDEX_STRIDE_64) | GV_PUT(RSRC3, ADD_TID_ENABLE, 1);
}

unsigned gv_user_sgprs(const struct gv_user_sgprs *u, unsigned properties,
                       uint32_t sgpr[GV_MAX_USER_SGPRS])
{
	const struct {
		const void *from;
		unsigned dw;
	} part[] = {
	        {u->private_segment_buffer, 4}, {&u->dispatch_ptr, 2}, {&u->queue_ptr, 2},
	        {&u->kernarg_segment_ptr, 2},   {&u->dispatch_id, 2},  {&u->flat_scratch_init, 2},
	        {&u->private_segment_size, 1},
	};
	uint32_t all[GV_MAX_USER_SGPRS] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < GV_ARRAY_LEN(part); i++)
		if (properties >> i & 1) {
			memcpy(all + n, part[i].from, part[i].dw * sizeof(*all));
			n += part[i].dw;
		}
	memcpy(sgpr, all, sizeof(all));
	return n;
}
