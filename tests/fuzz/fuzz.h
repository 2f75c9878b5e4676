// SPDX-License-Identifier: MIT
// Shared by all fuzz targets. A target is a file tests/fuzz/NAME.cc that defines LLVMFuzzerTestOneInput(); it starts
// with the inputs in tests/fuzz/corpus/NAME.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// Unlike assert(), it ignores NDEBUG; libFuzzer keeps the input.
#define HOLDS(condition)                                                                                               \
  do                                                                                                                   \
    if (!(condition)) {                                                                                                \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                              \
      std::abort();                                                                                                    \
    }                                                                                                                  \
  while (false)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
