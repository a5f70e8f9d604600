/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's headers, and what differs between the versions that we build for. GVQ_QEMU is the
 * version as a number: 702 is 7.2, 1000 is 10.0.
 */
#ifndef GVQ_COMPAT_H
#define GVQ_COMPAT_H

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "hw/pci/pci.h"
#if GVQ_QEMU >= 1000
#include "hw/pci/pci_device.h"
#include "system/cpus.h"
#else
#include "sysemu/cpus.h"
#endif
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"

/* Functions that the other versions lack are weak, so that the wrong file loads as far as the check
 * that says so. */
#if GVQ_QEMU < 1000
#pragma weak qemu_mutex_lock_iothread_impl
#pragma weak qemu_mutex_unlock_iothread
#pragma weak qemu_mutex_iothread_locked
#pragma weak pcie_sriov_pf_disable_vfs
#pragma weak device_class_set_props
#define bql_lock()              qemu_mutex_lock_iothread()
#define bql_unlock()            qemu_mutex_unlock_iothread()
#define bql_locked()            qemu_mutex_iothread_locked()
#define GVQ_PLUGIN_API          1
#define GVQ_PROPERTY            Property
#define GVQ_PROPERTIES_END      DEFINE_PROP_END_OF_LIST(),
#define GVQ_CLASS_DATA          void *
#define gvq_set_reset(dc, fn)   ((dc)->reset = (fn))
#define gvq_ari_init(pdev, off) pcie_ari_init((pdev), (off), 0)
#else
#pragma weak bql_lock_impl
#pragma weak bql_unlock
#pragma weak bql_locked
#pragma weak pcie_sriov_pf_reset
#pragma weak device_class_set_legacy_reset
#pragma weak device_class_set_props_n
#define GVQ_PLUGIN_API 4
#define GVQ_PROPERTY   const Property
#define GVQ_PROPERTIES_END
#define GVQ_CLASS_DATA          void *
#define gvq_set_reset(dc, fn)   device_class_set_legacy_reset((dc), (fn))
#define gvq_ari_init(pdev, off) pcie_ari_init((pdev), (off))
#endif

#endif
