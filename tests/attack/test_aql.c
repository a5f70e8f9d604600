/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queues of AQL packets: everything that a packet, a signal or the queue's own structure points to
 * is memory of the attacker's, or is not reached. */
#include <string.h>

#include <gv/hsa.h>

#include "arena.h"
#include "forge.h"

#define QUEUE      FORGE_ARGS /* struct gv_amd_queue */
#define SIGNAL     (FORGE_ARGS + 0x1000)
#define INACTIVE   (FORGE_ARGS + 0x1100)
#define DESCRIPTOR (FORGE_ARGS + 0x2000)
#define READ_INDEX (QUEUE + offsetof(struct gv_amd_queue, read_dispatch_id))

/* What a case turns evil. */
struct evil {
	union gv_aql_packet p;
	uint64_t read_index, inactive;
	struct gv_amd_signal signal;
};

static struct evil good(enum gv_aql_type type)
{
	struct evil e = {.read_index = READ_INDEX, .inactive = INACTIVE};

	e.p.dispatch.header = (uint16_t)GV_PUT(GV_AQL_HEADER, TYPE, type);
	e.p.dispatch.completion_signal = SIGNAL;
	e.signal.value = 1;
	if (type != GV_AQL_KERNEL_DISPATCH)
		return e;
	e.p.dispatch.setup = 1;
	for (unsigned i = 0; i < 3; i++)
		e.p.dispatch.workgroup_size[i] = 1, e.p.dispatch.grid_size[i] = 1;
	e.p.dispatch.kernel_object = DESCRIPTOR;
	e.p.dispatch.kernarg_address = FORGE_OWN;
	return e;
}

/* s_endpgm, and a descriptor that leads to it. */
static void put_kernel(void)
{
	struct gv_kernel_descriptor kd = {.kernel_code_entry_byte_offset =
	                                          (int64_t)FORGE_CODE - (int64_t)DESCRIPTOR};

	forge_put32(FORGE_CODE, 0xbf810000);
	forge_put(DESCRIPTOR, &kd, sizeof(kd));
}

static int64_t signal_value(void)
{
	struct gv_amd_signal now;

	forge_get(SIGNAL, &now, sizeof(now));
	return now.value;
}

/* Run the one packet; true when it completed, or its completion was tried. */
static bool run(const struct evil *e)
{
	struct gv_amd_queue q = {.read_dispatch_id_field_base_byte_offset =
	                                 offsetof(struct gv_amd_queue, read_dispatch_id),
	                         .queue_inactive_signal = e->inactive};
	struct gv_amd_signal inactive = {.value = 0};
	struct forge_hqd h = forge_hqd();

	forge_cp_stop();
	put_kernel();
	forge_put(QUEUE, &q, sizeof(q));
	forge_put(SIGNAL, &e->signal, sizeof(e->signal));
	forge_put(INACTIVE, &inactive, sizeof(inactive));
	h.aql = GV_PUT(CP_HQD_AQL_CONTROL, CONTROL0, 1);
	h.rptr_report = e->read_index;
	forge_cp_start(&h, 0);
	forge_put(FORGE_RING, &e->p, sizeof(e->p));
	gv_doorbell64(arena_bus(), GV_DOORBELL_MEC_RING0 * 4, 0);
	CU_ASSERT(ARENA_UNTIL(signal_value() != e->signal.value || forge_cp_error()));
	return !forge_cp_error();
}

static void packets_that_point_to_its_own_complete(void)
{
	struct evil e = good(GV_AQL_KERNEL_DISPATCH);

	arena_begin();
	CU_ASSERT(run(&e) && signal_value() == 0);
	e = good(GV_AQL_BARRIER_AND);
	CU_ASSERT(run(&e) && signal_value() == 0);
	CU_ASSERT(!forge_fault_reported());
	arena_expect(0);
}

static void the_read_index_is_kept_in_no_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_BARRIER_AND);

		e.read_index = at;
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

static void completion_signals_in_a_neighbours_memory_are_not_touched(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_BARRIER_AND);

		e.p.barrier.completion_signal = at;
		CU_ASSERT(!run(&e));
		e = good(GV_AQL_KERNEL_DISPATCH);
		e.p.dispatch.completion_signal = at;
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

/* A signal of its own names the place where the sleeper is woken. */
static void event_mailboxes_in_a_neighbours_memory_are_not_written(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_BARRIER_AND);

		e.signal.event_mailbox_ptr = at;
		e.signal.event_id = FORGE_JUNK;
		(void)run(&e);
		CU_ASSERT(ARENA_UNTIL(forge_cp_error() != 0));
	}
	arena_expect(NAMED_FAULT);
}

static void barriers_wait_for_no_neighbours_signals(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	for (unsigned type = GV_AQL_BARRIER_AND; type <= GV_AQL_BARRIER_OR; type += 2) {
		struct evil e = good((enum gv_aql_type)type);

		e.p.barrier.dep_signal[3] = at;
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

static void kernels_are_not_found_in_a_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_KERNEL_DISPATCH);

		e.p.dispatch.kernel_object = at;
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

static void vendor_packets_jump_into_no_neighbours_memory(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_VENDOR_SPECIFIC);
		const uint32_t jump[4] = {gv_pm4_header(PM4_INDIRECT_BUFFER, 3), LO(at), HI(at),
		                          16};

		e.p.pm4_ib.format = GV_AQL_FORMAT_PM4_IB;
		memcpy(e.p.pm4_ib.ib_jump, jump, sizeof(jump));
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

/* A packet that cannot run is told to a signal that the queue's structure names. */
static void errors_are_told_to_no_neighbours_signal(void)
{
	arena_begin();
	FOR_EACH_OUTSIDE(at)
	{
		struct evil e = good(GV_AQL_AGENT_DISPATCH); /* not for GPUs */

		e.inactive = at;
		CU_ASSERT(!run(&e));
	}
	arena_expect(NAMED_FAULT);
}

ARENA_MAIN("attack/aql", UT(packets_that_point_to_its_own_complete),
           UT(the_read_index_is_kept_in_no_neighbours_memory),
           UT(completion_signals_in_a_neighbours_memory_are_not_touched),
           UT(event_mailboxes_in_a_neighbours_memory_are_not_written),
           UT(barriers_wait_for_no_neighbours_signals),
           UT(kernels_are_not_found_in_a_neighbours_memory),
           UT(vendor_packets_jump_into_no_neighbours_memory),
           UT(errors_are_told_to_no_neighbours_signal))
