/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LDS loads and stores whose active lanes all stay inside: one look at the
 * largest address, then lane by lane without. The rest is left to lds.c, which
 * counts what is out of range. Part of fast.h.
 */

/* Does every active lane have @bytes of LDS at its address + @off? */
CU_INLINE bool fast_lds_inside(struct cu_wave *w, const struct cu_inst *i, uint32_t off,
                               uint32_t bytes)
{
	const uint32_t *addr = w->v[i->addr], *mask = fast_mask(w);
	uint32_t highest = 0;

	for (unsigned l = 0; l < CU_LANES; l++)
		highest = GV_MAX(highest, addr[l] & mask[l]);
	return w->run->lds_bytes >= off + bytes && highest <= w->run->lds_bytes - off - bytes;
}

#define FAST_LDS_LANES(lane)                                                                       \
	do {                                                                                       \
		if (cu_exec(w) == ~0ull)                                                           \
			for (unsigned L = 0; L < CU_LANES; L++) {                                  \
				uint8_t *p = lds + addr[L];                                        \
                                                                                                   \
				lane;                                                              \
			}                                                                          \
		else                                                                               \
			CU_FOR_LANES(L, cu_exec(w))                                                \
			{                                                                          \
				uint8_t *p = lds + addr[L];                                        \
                                                                                                   \
				lane;                                                              \
			}                                                                          \
	} while (0)

#define FAST_LDS(name, bytes, reg, lane)                                                           \
	static void fast_lds_##name(struct cu_wave *w, const struct cu_inst *i)                    \
	{                                                                                          \
		const uint32_t *addr = w->v[i->addr];                                              \
		uint32_t *d = w->v[i->reg];                                                        \
		uint8_t *lds;                                                                      \
                                                                                                   \
		if (!fast_lds_inside(w, i, (uint32_t)i->simm, bytes)) {                            \
			i->op->fn(w, i);                                                           \
			return;                                                                    \
		}                                                                                  \
		lds = w->run->lds + i->simm;                                                       \
		FAST_LDS_LANES(lane);                                                              \
	}

FAST_LDS(load_1, 4, dst, FAST_LOAD(uint32_t))
FAST_LDS(load_2, 8, dst, FAST_LOAD_DW(2))
FAST_LDS(load_3, 12, dst, FAST_LOAD_DW(3))
FAST_LDS(load_4, 16, dst, FAST_LOAD_DW(4))
FAST_LDS(load_u8, 1, dst, FAST_LOAD(uint8_t))
FAST_LDS(load_i8, 1, dst, FAST_LOAD(int8_t))
FAST_LDS(load_u16, 2, dst, FAST_LOAD(uint16_t))
FAST_LDS(load_i16, 2, dst, FAST_LOAD(int16_t))
FAST_LDS(store_1, 4, data, FAST_STORE(uint32_t))
FAST_LDS(store_2, 8, data, FAST_STORE_DW(2))
FAST_LDS(store_3, 12, data, FAST_STORE_DW(3))
FAST_LDS(store_4, 16, data, FAST_STORE_DW(4))
FAST_LDS(store_8, 1, data, FAST_STORE(uint8_t))
FAST_LDS(store_16, 2, data, FAST_STORE(uint16_t))

#define FAST_LDS_TWO(name, dw, load, second, lane)                                                 \
	static void fast_lds_##name(struct cu_wave *w, const struct cu_inst *i)                    \
	{                                                                                          \
		const uint32_t *addr = w->v[i->addr];                                              \
		uint32_t *const row[2] = {w->v[(load) ? i->dst : i->data], w->v[second]};          \
		uint32_t off[2] = {cu_ds_offset(i, 0), cu_ds_offset(i, 1)};                        \
                                                                                                   \
		if (!fast_lds_inside(w, i, GV_MAX(off[0], off[1]), (dw)*4)) {                      \
			i->op->fn(w, i);                                                           \
			return;                                                                    \
		}                                                                                  \
		CU_FOR_LANES(L, cu_exec(w))                                                        \
		{                                                                                  \
			uint8_t *const at = w->run->lds + addr[L]; /* before a load replaces it */ \
                                                                                                   \
			for (unsigned half = 0; half < 2; half++) {                                \
				uint8_t *p = at + off[half];                                       \
				uint32_t *d = row[half];                                           \
                                                                                                   \
				lane;                                                              \
			}                                                                          \
		}                                                                                  \
	}
FAST_LDS_TWO(read2_1, 1, true, i->dst + 1, FAST_LOAD(uint32_t))
FAST_LDS_TWO(read2_2, 2, true, i->dst + 2, FAST_LOAD_DW(2))
FAST_LDS_TWO(write2_1, 1, false, i->data1, FAST_STORE(uint32_t))
FAST_LDS_TWO(write2_2, 2, false, i->data1, FAST_STORE_DW(2))

/* The handler of a DS load or store, NULL: there is none here. */
static cu_fn fast_lds(const struct cu_inst *i)
{
	static const cu_fn dwords[2][5] = {
	        {NULL, fast_lds_load_1, fast_lds_load_2, fast_lds_load_3, fast_lds_load_4},
	        {NULL, fast_lds_store_1, fast_lds_store_2, fast_lds_store_3, fast_lds_store_4}};
	static const cu_fn small[] = {
	        [CU_MEM_LOAD_U8] = fast_lds_load_u8,   [CU_MEM_LOAD_I8] = fast_lds_load_i8,
	        [CU_MEM_LOAD_U16] = fast_lds_load_u16, [CU_MEM_LOAD_I16] = fast_lds_load_i16,
	        [CU_MEM_STORE_8] = fast_lds_store_8,   [CU_MEM_STORE_16] = fast_lds_store_16,
	};
	static const cu_fn two[2][3] = {{NULL, fast_lds_read2_1, fast_lds_read2_2},
	                                {NULL, fast_lds_write2_1, fast_lds_write2_2}};

	if (i->op->fn == cu_ds_two)
		return i->op->kind <= CU_MEM_STORE && i->op->dw <= 2 ? two[i->op->kind][i->op->dw]
		                                                     : NULL;
	if (i->op->fn != cu_ds_access)
		return NULL;
	if (i->op->kind <= CU_MEM_STORE)
		return dwords[i->op->kind][i->op->dw];
	return i->op->kind < GV_ARRAY_LEN(small) ? small[i->op->kind] : NULL;
}
