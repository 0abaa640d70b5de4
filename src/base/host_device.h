// LONGTAIL_HOST_DEVICE marks a function that CPU and GPU code share.
#pragma once

#if defined(__CUDACC__)
#define LONGTAIL_HOST_DEVICE __host__ __device__
#else
#define LONGTAIL_HOST_DEVICE
#endif
