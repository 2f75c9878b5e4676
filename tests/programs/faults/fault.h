/* SPDX-License-Identifier: MIT */
/* One fault: the n-th call of this name fails with this error, and perhaps all later ones. */
#pragma once
#include "faults/injectable.h"
#include "testing.h"

struct fault {
  enum call call;
  int nth, error, lasts;
};

static struct injection* injection;
static int faults_injected, faults_not_survived;

static inline void map_injection_or_exit(void) {
  injection = map_injection();
  if (!injection)
    fact("INJECT is not a file: %s", strerrorname_np(errno)), exit(2);
}

/* Not armed yet; the counts begin at 0. */
static inline void set_fault(const struct fault* fault) {
  memset((void*)injection, 0, sizeof *injection);
  injection->call = fault->call;
  injection->nth = fault->nth;
  injection->error = fault->error;
  injection->lasts = fault->lasts;
}

static inline void report_fault(const char* what, const struct fault* fault) {
  ++faults_not_survived;
  fact("%s: %s number %d%s: %s", what, injectables[fault->call].name, fault->nth, fault->lasts ? " and later" : "",
       fault_text(fault->error));
}

static inline void report_faults(const char* name) {
  fact("%s: %d faults injected, %d not survived", name, faults_injected, faults_not_survived);
  EXPECT(faults_injected > 0);
  EXPECT_INT(faults_not_survived, 0);
}
