/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VALU instructions that are more than a row of lanes. */
#ifndef GV_CU_VALU_SPECIAL_H
#define GV_CU_VALU_SPECIAL_H

#include <stdint.h>

struct cu_wave;
struct cu_inst;

void cu_v_nop(struct cu_wave *w, const struct cu_inst *i);
void cu_v_clrexcp(struct cu_wave *w, const struct cu_inst *i);
void cu_v_readfirstlane(struct cu_wave *w, const struct cu_inst *i);
void cu_v_readlane(struct cu_wave *w, const struct cu_inst *i);
void cu_v_writelane(struct cu_wave *w, const struct cu_inst *i);
void cu_v_swap(struct cu_wave *w, const struct cu_inst *i);
void cu_v_mqsad(struct cu_wave *w, const struct cu_inst *i);

/** What LDS_DIRECT as a source reads now: one value for all lanes, M0 says where and what. */
uint32_t cu_lds_direct(const struct cu_wave *w);

#endif
