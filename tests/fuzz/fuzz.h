// SPDX-License-Identifier: MIT
// What fuzz targets share. A target is one file, tests/fuzz/NAME.cc, that defines LLVMFuzzerTestOneInput(); its first
// inputs are the files of tests/fuzz/corpus/NAME.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// NDEBUG does not switch it off, and libFuzzer keeps the input.
#define HOLDS(condition)                                                                                               \
  do                                                                                                                   \
    if (!(condition)) {                                                                                                \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                              \
      std::abort();                                                                                                    \
    }                                                                                                                  \
  while (false)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
