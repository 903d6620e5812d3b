// Short names for compiler attributes, so that a declaration states its contract on one line.
#pragma once

#define NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define PURE __attribute__((pure))
#define HOT __attribute__((hot))
#define COLD __attribute__((cold))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define UNUSED __attribute__((unused))
#define CACHE_LINE 64
#define CACHE_ALIGNED _Alignas(CACHE_LINE)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
