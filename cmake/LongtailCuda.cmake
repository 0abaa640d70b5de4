# Whether the CUDA component is built: LONGTAIL_WITH_CUDA. Only it needs nvcc and cuBLAS; all else
# is the same with and without.
#
# AUTO takes them where they are found, ON wants them there, OFF does not look.
set(LONGTAIL_CUDA AUTO CACHE STRING "The component for CUDA devices, with nvcc: AUTO, ON or OFF")
set_property(CACHE LONGTAIL_CUDA PROPERTY STRINGS AUTO ON OFF)

set(LONGTAIL_WITH_CUDA OFF)
if(LONGTAIL_CUDA)
  find_program(LONGTAIL_NVCC nvcc HINTS /usr/local/cuda/bin)
  set(nvcc ${CMAKE_CUDA_COMPILER})
  if(NOT nvcc)
    set(nvcc ${LONGTAIL_NVCC})
  endif()
  set(release 0)
  if(nvcc)  # Asked before CMake takes it: an old one would end the configuration.
    execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE version ERROR_QUIET)
    if(version MATCHES "release ([0-9]+)")
      set(release ${CMAKE_MATCH_1})
    endif()
  endif()
  if(release GREATER_EQUAL 13)
    set(CMAKE_CUDA_COMPILER ${nvcc} CACHE FILEPATH "nvcc")
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES "80-real;90")
    endif()
    if(NOT CMAKE_CUDA_HOST_COMPILER)
      set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER} CACHE FILEPATH "nvcc's C++ compiler")
    endif()
    if(LONGTAIL_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
      set(CMAKE_CUDA_COMPILER_LAUNCHER ${LONGTAIL_CCACHE})
    endif()
    enable_language(CUDA)
    # What CMake 3.25 does not know of nvcc yet.
    if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    endif()
    # Debian 12's CMake, 3.25.1, fails in a project that wants 3.25 if there is no nvToolsExt, which
    # CUDA 13 no longer has.
    set(minimum ${CMAKE_MINIMUM_REQUIRED_VERSION})
    set(CMAKE_MINIMUM_REQUIRED_VERSION 3.24)
    find_package(CUDAToolkit 13 QUIET)
    set(CMAKE_MINIMUM_REQUIRED_VERSION ${minimum})
    if(TARGET CUDA::cublas AND TARGET CUDA::cudart_static)
      set(LONGTAIL_WITH_CUDA ON)
    endif()
  endif()
  if(NOT LONGTAIL_WITH_CUDA AND NOT LONGTAIL_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "LONGTAIL_CUDA=${LONGTAIL_CUDA}: want nvcc and cuBLAS of CUDA 13 or newer; "
                        "nvcc is '${nvcc}', of CUDA ${release}")
  endif()
endif()
if(LONGTAIL_WITH_CUDA)
  message(STATUS "longtail: with the CUDA component, for ${CMAKE_CUDA_ARCHITECTURES} "
                 "(LONGTAIL_CUDA=${LONGTAIL_CUDA})")
else()
  message(STATUS "longtail: without the CUDA component (LONGTAIL_CUDA=${LONGTAIL_CUDA})")
endif()
