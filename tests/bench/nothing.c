/* SPDX-License-Identifier: MIT */
/* nothing: the least program; what it takes is what loading takes. */
int main(void) { return 0; }
