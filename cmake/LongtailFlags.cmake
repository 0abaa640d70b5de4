# One set of flags for every file of ours: an inline function compiled under two
# flag sets is two functions with one name.
#
# -ffp-contract=off makes every compiler and every instruction set give the same
# bits; -fno-math-errno lets sqrt vectorise.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})

if(NOT CMAKE_BUILD_TYPE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")

# The instruction set to build for; no result depends on it. x86-64-v3 (AVX2) is
# every server since 2013; 'native' is for this machine alone; empty is the
# compiler's own baseline.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(LONGTAIL_MARCH "x86-64-v3" CACHE STRING "value of -march, or empty")
else()
  set(LONGTAIL_MARCH "" CACHE STRING "value of -march, or empty")
endif()
set(LONGTAIL_SANITIZE "" CACHE STRING "value of -fsanitize, or empty")
set(LONGTAIL_WERROR OFF CACHE BOOL "Turn warnings into errors")

# Private to our own targets: a consumer's flags are the consumer's.
add_library(longtail_flags INTERFACE)
target_compile_options(longtail_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -ffp-contract=off -fno-math-errno
  $<$<BOOL:${LONGTAIL_MARCH}>:-march=${LONGTAIL_MARCH}>
  $<$<BOOL:${LONGTAIL_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # False alarms on std::string: GCC bug 105651.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>     # Vectors are passed within inline functions alone.
  # In a unity build, a source's own namespace is taken for a header's.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(LONGTAIL_SANITIZE)
  target_compile_options(longtail_flags INTERFACE
    -fsanitize=${LONGTAIL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(longtail_flags INTERFACE -fsanitize=${LONGTAIL_SANITIZE})
endif()

find_program(LONGTAIL_CCACHE ccache)
if(LONGTAIL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LONGTAIL_CCACHE})
endif()
find_program(LONGTAIL_MOLD mold)
if(LONGTAIL_MOLD AND PROJECT_IS_TOP_LEVEL)
  add_link_options(-fuse-ld=mold)
endif()
