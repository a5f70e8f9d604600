/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A binary search tree in memory of the program; insertion and recursive walks. */
#include "program.h"

PROGRAM(.grid = {32}, .block = {32}, .in = 32 * 16, .out = 32 * 4)

struct node {
	struct node *left, *right;
	int key;
};

static NOINLINE struct node *insert(struct node *at, struct node *item)
{
	if (!at)
		return item;
	if (item->key < at->key)
		at->left = insert(at->left, item);
	else
		at->right = insert(at->right, item);
	return at;
}

static NOINLINE uint walk(const struct node *at, uint depth, uint *deepest)
{
	uint h;

	if (!at)
		return 17;
	*deepest = depth > *deepest ? depth : *deepest;
	h = walk(at->left, depth + 1, deepest) * 31 + (uint)at->key;
	return h * 31 + walk(at->right, depth + 1, deepest);
}

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), deepest = 0;
	struct node nodes[16], *root = 0;

	for (uint k = 0; k < 16; k++) {
		nodes[k] = (struct node){.key = (int)in[16 * i + k]};
		root = insert(root, &nodes[k]);
	}
	out[4 * i] = walk(root, 1, &deepest);
	out[4 * i + 1] = deepest;
	out[4 * i + 2] = (uint)root->key;
}
