/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VF pool over a restart of gpuvisord: in the PF driver's journal. */
#include <string.h>

#include "gpuvisord.h"

enum { CLEANING = 1, DIRTY = 2, RELEASING = 4 };

/* Fixed layout: it is in files. */
struct kept {
	uint32_t bytes; /* of this: another version has another size */
	uint32_t flags;
	char owner[GV_POOL_TEXT], domain[GV_POOL_TEXT], uuid[GV_POOL_UUID];
};

void pool_note(struct daemon *d)
{
	for (unsigned i = 0; i < d->pool.rules.num_vfs; i++) {
		const struct gv_pool_vf *v = &d->pool.rules.vf[i];
		struct kept k;

		memset(&k, 0, sizeof(k)); /* padding, too: what is the same is not written again */
		k.bytes = sizeof(k);
		k.flags = (v->cleaning ? CLEANING : 0u) | (v->dirty ? DIRTY : 0u) |
		          (v->releasing ? RELEASING : 0u);
		memcpy(k.owner, v->owner, strlen(v->owner));
		memcpy(k.domain, v->domain, strlen(v->domain));
		memcpy(k.uuid, v->uuid, strlen(v->uuid));
		gv_pf_keep(d->pf, GV_PF_KEEP_POOL, (int)i, &k, sizeof(k));
	}
}

void pool_recall(struct daemon *d, unsigned vf)
{
	struct gv_pool_vf *v = &d->pool.rules.vf[vf];
	size_t bytes = 0;
	const struct kept *k = gv_pf_kept(d->pf, GV_PF_KEEP_POOL, (int)vf, &bytes);

	if (!k || bytes != sizeof(*k) || k->bytes != sizeof(*k) || k->owner[GV_POOL_TEXT - 1] ||
	    k->domain[GV_POOL_TEXT - 1] || k->uuid[GV_POOL_UUID - 1])
		return;
	/* A VF with an address has a file, and who wrote that may have changed it since. */
	if (!d->pool.has_bdf[vf])
		memcpy(v->owner, k->owner, sizeof(v->owner));
	memcpy(v->domain, k->domain, sizeof(v->domain));
	memcpy(v->uuid, k->uuid, sizeof(v->uuid));
	v->cleaning = k->flags & CLEANING;
	v->dirty = k->flags & DIRTY;
	v->releasing = k->flags & RELEASING;
}
