/* The plain C interface between compiled networks and whoever calls them.
 *
 * A compiled object exports, for every entry point `e` of a net `n`, one function
 *     void n_e(void *const *buffers, const cnn_context *context);
 * and one string, `n_manifest` (JSON), that lists the entry points and what each element of
 * `buffers` is. Where there is an entry point `prepare`, its result is an argument of others: call
 * it first, and again when the state has changed. Compiled code allocates nothing, keeps no state
 * of its own, and calls nothing but the functions of `context`. */
#ifndef CNNC_RUNTIME_ABI_CNN_ABI_H
#define CNNC_RUNTIME_ABI_CNN_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface; a manifest states the one it was compiled for. */
#define CNN_ABI_VERSION 2

/* Alignment in bytes that every buffer must have, and every offset inside state and arena has. */
#define CNN_ALIGNMENT 64

/* How many items of its share a worker has taken, between one barrier and the next. */
typedef struct cnn_share {
  int64_t taken;
  int64_t unused[7]; /* a cache line to each counter */
} cnn_share;

/* How the workers that run one step together meet. Every worker calls the entry point with the same
 * `buffers` and a context of its own. NULL for `context` means one worker: the results have the
 * same bits for every number of workers. */
typedef struct cnn_context {
  int32_t worker;  /* 0 <= worker < workers */
  int32_t workers; /* at least 1 */
  /* Returns when all workers have called it; what each wrote before is visible to all after. */
  void (*barrier)(void *self);
  void *self;
  /* Two for each worker, the same for all workers, at CNN_ALIGNMENT, all zero when the first worker
   * enters: then who is done with its share of the work helps the others. NULL: nobody does. */
  cnn_share *shares;
} cnn_context;

typedef void (*cnn_entry)(void *const *buffers, const cnn_context *context);

#ifdef __cplusplus
}
#endif

#endif
