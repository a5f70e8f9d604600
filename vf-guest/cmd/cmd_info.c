/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "cli.h"

static void print_text(const struct gv_guest_info *i)
{
	(void)printf("device            %s\n", i->bus);
	(void)printf("VF                %u (unit %016" PRIx64 ")\n", i->vf_index, i->uuid);
	(void)printf("frame buffer      %" PRIu64 " MiB, %" PRIu64 " MiB free\n",
	             i->fb_bytes / (uint64_t)GV_MIB, i->free_bytes / (uint64_t)GV_MIB);
	(void)printf("visible           %" PRIu64 " MiB, %s\n", i->visible_bytes / (uint64_t)GV_MIB,
	             i->aperture_mapped ? "mapped" : "trapped");
	(void)printf("share of the GPU  %.1f %%\n", (double)i->gpu_capacity * 100.0 / 65535.0);
	(void)printf("VBIOS             %s, %s\n", i->vbios, i->vbios_date);
	(void)printf("pf2vf             version %u, features 0x%x, register access 0x%x\n",
	             i->pf2vf_version, i->feature_flags, i->reg_access_flags);
	(void)printf("bad pages         %u\n", i->bad_pages);
	(void)printf("page tables       %u levels\n", i->page_table_levels);
	(void)printf("queues            %u compute, %u SDMA\n", i->compute_queues, i->sdma_queues);
	(void)printf("interrupts        %" PRIu64 "\n", i->interrupts);
}

static void print_json(const struct gv_guest_info *i)
{
	struct json j = {.f = stdout};

	json_open(&j, '{');
	json_str(&j, "device", i->bus);
	json_u64(&j, "vf", i->vf_index);
	json_u64(&j, "uuid", i->uuid);
	json_u64(&j, "fb_mib", i->fb_bytes / (uint64_t)GV_MIB);
	json_u64(&j, "fb_free_mib", i->free_bytes / (uint64_t)GV_MIB);
	json_u64(&j, "visible_mib", i->visible_bytes / (uint64_t)GV_MIB);
	json_bool(&j, "aperture_mapped", i->aperture_mapped);
	json_u64(&j, "gpu_capacity", i->gpu_capacity);
	json_str(&j, "vbios", i->vbios);
	json_str(&j, "vbios_date", i->vbios_date);
	json_u64(&j, "pf2vf_version", i->pf2vf_version);
	json_u64(&j, "feature_flags", i->feature_flags);
	json_u64(&j, "reg_access_flags", i->reg_access_flags);
	json_u64(&j, "bad_pages", i->bad_pages);
	json_u64(&j, "page_table_levels", i->page_table_levels);
	json_u64(&j, "compute_queues", i->compute_queues);
	json_u64(&j, "sdma_queues", i->sdma_queues);
	json_u64(&j, "interrupts", i->interrupts);
	json_u64(&j, "vm_faults", i->vm_faults);
	json_close(&j, '}');
	json_end(&j);
}

int cmd_info(struct cli *cli)
{
	struct gv_guest *guest = NULL;
	struct gv_guest_info info;
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};

	if (cli->argc)
		return cli_usage("info takes nothing, '%s' given", cli->argv[0]);
	if (cli_open(cli, 0, &bus, &guest, &err))
		return cli_fail(&err);
	gv_guest_get_info(guest, &info);
	if (cli->json)
		print_json(&info);
	else
		print_text(&info);
	cli_close(bus, guest);
	return CLI_OK;
}
