/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a stock QEMU takes us in: as a TCG plugin, which it loads before it makes devices. We watch
 * no instruction, so a guest runs at full speed (and KVM works too); all we do is add two types.
 *
 * There is no stable interface to QEMU's devices. A version that we were not compiled for is
 * refused here, in words.
 */
#include "front.h"

#include "hw/pci/pci_bus.h"
#include "qapi/qapi-commands-control.h"

#include <dlfcn.h>

#define GVQ_EXPORT __attribute__((visibility("default")))

/* QEMU's loader looks these two up by name. */
extern int qemu_plugin_version;
GVQ_EXPORT int qemu_plugin_version = GVQ_PLUGIN_API;
GVQ_EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static bool same_version(void)
{
	VersionInfo *v = qmp_query_version(NULL);
	int64_t now = v ? v->qemu->major * 100 + v->qemu->minor : 0;

	if (now == GVQ_QEMU)
		return true;
	error_report("gpuvisor-gpu: this file is for QEMU %d.%d, this is QEMU %d.%d: use "
	             "gpuvisor-gpu-qemu-%d.%d.so",
	             GVQ_QEMU / 100, GVQ_QEMU % 100, (int)(now / 100), (int)(now % 100),
	             (int)(now / 100), (int)(now % 100));
	return false;
}

/* Debian's security updates have changed structures within one version before. Versions that
 * export the function tell us their sizes. */
static bool same_layout(void)
{
	static const struct {
		const char *type;
		size_t bytes;
	} rows[] = {{TYPE_DEVICE, sizeof(DeviceState)},
	            {TYPE_PCI_DEVICE, sizeof(PCIDevice)},
	            {TYPE_PCI_BUS, sizeof(PCIBus)},
	            {TYPE_MEMORY_REGION, sizeof(MemoryRegion)}};
	size_t (*size_of)(const char *) = NULL;

	*(void **)&size_of = dlsym(RTLD_DEFAULT, "object_type_get_instance_size");
	for (size_t k = 0; size_of && k < GV_ARRAY_LEN(rows); k++) {
		size_t theirs = size_of(rows[k].type);

		if (theirs == rows[k].bytes)
			continue;
		error_report("gpuvisor-gpu: '%s' has %zu bytes in this QEMU and %zu in the headers "
		             "this file was built with: run scripts/qemu-headers again and build",
		             rows[k].type, theirs, rows[k].bytes);
		return false;
	}
	return true;
}

/* QEMU compares plugin interfaces before it calls us, in words that do not help. */
__attribute__((constructor)) static void loaded(void)
{
	(void)same_version();
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	static bool done;

	if (argc > 0) {
		error_report("gpuvisor-gpu: '%s': the plugin takes no arguments, the device does "
		             "(-device gpuvisor-gpu,help)",
		             argv[0]);
		return -1;
	}
	if (!same_version() || !same_layout())
		return -1;
	if (!done)
		gvq_register_types();
	done = true;
	return 0;
}
