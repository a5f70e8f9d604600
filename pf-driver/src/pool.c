/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/pf_pool.h>

const char *gv_pool_state_name(enum gv_pool_state state)
{
	static const char *const names[] = {[GV_POOL_FREE] = "free",
	                                    [GV_POOL_CLAIMED] = "claimed",
	                                    [GV_POOL_IN_USE] = "in use",
	                                    [GV_POOL_CLEANING] = "cleaning",
	                                    [GV_POOL_DIRTY] = "dirty",
	                                    [GV_POOL_UNSCRUBBED] = "needs scrub",
	                                    [GV_POOL_QUARANTINED] = "quarantined"};

	return (unsigned)state < GV_ARRAY_LEN(names) ? names[state] : "unknown";
}

enum gv_pool_state gv_pool_state(const struct gv_pool *pool, unsigned vf,
                                 enum gv_mbox_state session)
{
	const struct gv_pool_vf *v = &pool->vf[vf];

	if (v->quarantined)
		return GV_POOL_QUARANTINED;
	if (v->dirty || session == GV_MBOX_FAILED)
		return GV_POOL_DIRTY;
	if (v->domain[0])
		return GV_POOL_IN_USE;
	if (v->cleaning || session == GV_MBOX_NOTIFY || session == GV_MBOX_RESET)
		return GV_POOL_CLEANING;
	if (session != GV_MBOX_IDLE && session != GV_MBOX_OFF)
		return GV_POOL_IN_USE;
	if (v->owner[0])
		return GV_POOL_CLAIMED;
	return v->unscrubbed ? GV_POOL_UNSCRUBBED : GV_POOL_FREE;
}

/* It becomes a line of a file, and of logs. */
static bool owner_fits(const char *owner)
{
	size_t n = strlen(owner);

	for (size_t i = 0; i < n; i++)
		if (owner[i] < ' ' || owner[i] > '~')
			return false;
	return n && n < GV_POOL_TEXT && owner[0] != ' ' && owner[n - 1] != ' ';
}

static int refuse(const struct gv_pool *pool, unsigned vf, enum gv_pool_state state,
                  struct gv_err *err)
{
	const struct gv_pool_vf *v = &pool->vf[vf];

	if (state == GV_POOL_DIRTY)
		return gv_fail(err, -EIO,
		               "VF%u is dirty: cleaning it failed; gpuvisor vf reset %u tries "
		               "again",
		               vf, vf);
	if (state == GV_POOL_UNSCRUBBED)
		return gv_fail(err, -EUCLEAN,
		               "VF%u needs a scrub: somebody could write to its memory since the "
		               "last; gpuvisor vf reset %u does it",
		               vf, vf);
	if (state == GV_POOL_QUARANTINED)
		return gv_fail(err, -EPERM, "VF%u is in quarantine: gpuvisor vf unquarantine %u",
		               vf, vf);
	if (state == GV_POOL_CLEANING)
		return gv_fail(err, -EBUSY, "VF%u is being cleaned: try again in a moment", vf);
	if (v->domain[0])
		return gv_fail(err, -EBUSY, "VF%u is in use by domain %s", vf, v->domain);
	return gv_fail(err, -EBUSY, "VF%u is in use by a guest of no domain that is known", vf);
}

int gv_pool_claim(struct gv_pool *pool, unsigned vf, enum gv_mbox_state session, const char *owner,
                  bool *fresh, struct gv_err *err)
{
	struct gv_pool_vf *v = vf < pool->num_vfs ? &pool->vf[vf] : NULL;
	enum gv_pool_state state;

	if (!v)
		return gv_fail(err, -ENODEV, "VF%u: %u VFs are enabled", vf, pool->num_vfs);
	if (!owner_fits(owner))
		return gv_fail(err, -EINVAL, "owner: 1 to %d printable characters",
		               GV_POOL_TEXT - 1);
	if (v->owner[0] && strcmp(v->owner, owner))
		return gv_fail(err, -EBUSY, "VF%u is claimed by %s", vf, v->owner);
	state = gv_pool_state(pool, vf, session);
	/* The owner may ask again while its own domain runs, to attach to the definition, too. */
	if (state != GV_POOL_FREE && state != GV_POOL_CLAIMED &&
	    !(state == GV_POOL_IN_USE && v->owner[0]))
		return refuse(pool, vf, state, err);
	*fresh = !v->owner[0];
	snprintf(v->owner, sizeof(v->owner), "%s", owner);
	v->old = false;
	v->claims++;
	return 0;
}

int gv_pool_release(struct gv_pool *pool, unsigned vf, enum gv_mbox_state session,
                    const char *owner, bool force, struct gv_err *err)
{
	struct gv_pool_vf *v = vf < pool->num_vfs ? &pool->vf[vf] : NULL;
	enum gv_pool_state state;
	bool used;

	if (!v)
		return gv_fail(err, -ENODEV, "VF%u: %u VFs are enabled", vf, pool->num_vfs);
	if (owner && v->owner[0] && strcmp(owner, v->owner))
		return gv_fail(err, -EPERM, "VF%u is claimed by %s, not by %s", vf, v->owner,
		               owner);
	state = gv_pool_state(pool, vf, session);
	used = state == GV_POOL_IN_USE || v->domain[0];
	if (v->releasing || (used && !v->cleaning && !force))
		return refuse(pool, vf, v->releasing ? GV_POOL_CLEANING : GV_POOL_IN_USE, err);
	memcpy(v->taken, v->uuid, sizeof(v->taken));
	v->domain[0] = v->uuid[0] = '\0';
	v->cleaning = v->releasing = true;
	return 0;
}

/* ---- what domains do ------------------------------------------------------------ */

bool gv_pool_owned_by(const struct gv_pool_vf *v, const char *name, const char *uuid)
{
	const size_t n = strlen(GV_POOL_DOMAIN);

	return !strncmp(v->owner, GV_POOL_DOMAIN, n) && v->owner[n] &&
	       (!strcmp(v->owner + n, name) || !strcmp(v->owner + n, uuid));
}

/* By name, as an administrator would; by UUID where the name is no owner's text. */
static void own(struct gv_pool_vf *v, const char *domain, const char *uuid)
{
	char owner[GV_POOL_TEXT + sizeof(v->domain)];

	(void)snprintf(owner, sizeof(owner), GV_POOL_DOMAIN "%s", domain);
	if (!owner_fits(owner))
		(void)snprintf(owner, sizeof(owner), GV_POOL_DOMAIN "%s", uuid);
	(void)snprintf(v->owner, sizeof(v->owner), "%.*s", GV_POOL_TEXT - 1, owner);
	v->claims++;
}

bool gv_pool_used(struct gv_pool *pool, unsigned vf, const char *domain, const char *uuid)
{
	struct gv_pool_vf *v = &pool->vf[vf];
	bool fit = !v->dirty && !v->quarantined && (v->owner[0] || !v->unscrubbed);

	snprintf(v->domain, sizeof(v->domain), "%s", domain);
	snprintf(v->uuid, sizeof(v->uuid), "%s", uuid);
	v->seen = true;
	v->taken[0] = '\0';
	if (!v->owner[0])
		own(v, domain, uuid);
	return gv_pool_owned_by(v, domain, uuid) && fit;
}

static void leave(struct gv_pool_vf *v)
{
	v->domain[0] = v->uuid[0] = '\0';
	v->cleaning = true;
}

bool gv_pool_left(struct gv_pool *pool, unsigned vf, const char *uuid)
{
	struct gv_pool_vf *v = &pool->vf[vf];

	/* Somebody else has it by now: this is about the one before, who was cleaned up after. */
	if (v->domain[0] && strcmp(v->uuid, uuid))
		return false;
	/* Late news of what was taken away by force: cleaned already, perhaps somebody's by now. */
	if (!v->domain[0] && v->taken[0] && !strcmp(v->taken, uuid)) {
		v->taken[0] = '\0';
		return false;
	}
	leave(v);
	return true;
}

void gv_pool_cleaned(struct gv_pool *pool, unsigned vf, bool ok)
{
	struct gv_pool_vf *v = &pool->vf[vf];

	if (v->releasing) {
		v->owner[0] = '\0';
		v->claims++;
	}
	v->cleaning = v->releasing = false;
	v->dirty = !ok;
}

void gv_pool_sync_begin(struct gv_pool *pool)
{
	for (unsigned i = 0; i < pool->num_vfs; i++)
		pool->vf[i].seen = false;
}

uint32_t gv_pool_sync_end(struct gv_pool *pool)
{
	uint32_t gone = 0;

	for (unsigned i = 0; i < pool->num_vfs; i++) {
		if (!pool->vf[i].domain[0] || pool->vf[i].seen)
			continue;
		leave(&pool->vf[i]);
		gone |= 1u << i;
	}
	return gone;
}

bool gv_pool_forget(struct gv_pool *pool, unsigned vf, uint32_t claims)
{
	struct gv_pool_vf *v = &pool->vf[vf];

	if (vf >= pool->num_vfs || v->claims != claims || v->domain[0] ||
	    strncmp(v->owner, GV_POOL_DOMAIN, strlen(GV_POOL_DOMAIN)) != 0)
		return false;
	v->owner[0] = '\0';
	v->claims++;
	return true;
}
