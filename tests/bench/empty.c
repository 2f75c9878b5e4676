/* SPDX-License-Identifier: MIT */
/* empty.so: the least library that can be preloaded. */
typedef int empty;
