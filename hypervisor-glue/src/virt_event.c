/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gv/libvirt.h>

const char *gv_virt_event_name(enum gv_virt_event_kind kind)
{
	static const char *const names[] = {
	        [GV_VIRT_CONNECTED] = "connected",
	        [GV_VIRT_IN_USE] = "in-use",
	        [GV_VIRT_SYNCED] = "synced",
	        [GV_VIRT_DISCONNECTED] = "disconnected",
	        [GV_VIRT_DOMAIN_STARTED] = "domain-started",
	        [GV_VIRT_DOMAIN_STOPPED] = "domain-stopped",
	        [GV_VIRT_DEVICE_ADDED] = "device-added",
	        [GV_VIRT_DEVICE_REMOVED] = "device-removed",
	        [GV_VIRT_REMOVAL_FAILED] = "removal-failed",
	        [GV_VIRT_DOMAIN_UNDEFINED] = "domain-undefined",
	};

	return (size_t)kind < GV_ARRAY_LEN(names) ? names[kind] : "unknown";
}
