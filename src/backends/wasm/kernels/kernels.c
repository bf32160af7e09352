// Float32 SIMD kernels of vitrail. Built by build.sh; called from the TypeScript beside it.
//
// The module owns no memory: no data segment, no shadow stack, no allocation (build.sh refuses a binary that has any), so
// that several threads may run it on one memory, which may be another library's. Every pointer is a byte offset of a tensor,
// or of scratch that the caller allocated in the sizes that the *ScratchBytes functions give. Nothing is read or written
// past a tensor's last element. Sizes and strides are in elements.
#include "native/attention.h"
#include "native/attentionGradient.h"
#include "native/copy.h"
#include "native/elementwise.h"
#include "native/pointwise.h"
#include "native/gemm.h"
#include "native/gradients.h"
#include "native/groupNorm.h"
#include "native/images.h"
#include "native/reduce.h"
#include "native/rows.h"
