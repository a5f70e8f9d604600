/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tokenizer like JSON's: a switch on states and characters. */
#include "program.h"

PROGRAM(.grid = {96}, .block = {64}, .in = 96 * 16, .out = 96 * 6, .fill = FILL_TEXT)

enum { START, STRING, ESCAPE, NUMBER, WORD };

KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)
{
	uint i = global_id(0), state = START, strings = 0, numbers = 0, words = 0, punctuation = 0;
	int depth = 0, deepest = 0;

	if (i >= n)
		return;
	for (uint k = 0; k < 64; k++) {
		char c = ((GLOBAL const char *)(in + 16 * i))[k];

		if (state == NUMBER && !(c >= '0' && c <= '9') && c != '.' && c != 'e' && c != '-')
			state = START;
		if (state == WORD && !((c | 32) >= 'a' && (c | 32) <= 'z'))
			state = START;
		switch (state) {
		case STRING:
			state = c == '\\' ? ESCAPE : c == '"' ? START : STRING;
			break;
		case ESCAPE:
			state = STRING;
			break;
		case START:
			switch (c) {
			case '"':
				state = STRING;
				strings++;
				break;
			case '{':
			case '[':
				depth++;
				deepest = depth > deepest ? depth : deepest;
				break;
			case '}':
			case ']':
				depth--;
				break;
			case ',':
			case ':':
			case '=':
				punctuation++;
				break;
			case '-':
			case '0' ... '9':
				state = NUMBER;
				numbers++;
				break;
			case 'A' ... 'Z':
			case 'a' ... 'z':
				state = WORD;
				words++;
				break;
			default:
				break;
			}
			break;
		default:
			break;
		}
	}
	out[6 * i] = strings;
	out[6 * i + 1] = numbers;
	out[6 * i + 2] = words;
	out[6 * i + 3] = punctuation;
	out[6 * i + 4] = (uint)depth;
	out[6 * i + 5] = (uint)deepest << 8 | state;
}
