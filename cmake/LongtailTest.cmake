# longtail_test(NAME SOURCES … DEPENDS … STORE file|rados|etcd COMPUTES)
#
# One test program of Catch2 cases, found one by one by ctest. Case tags are for
# people; ctest's label is the folder. (One alone: catch_discover_tests would take
# a second one for the next property.)
#
# STORE says on which store the cases are to run, as LONGTAIL_TEST_STORE: the same
# source can be a program for each. ctest starts the server that it needs
# (test/support), and runs one such case at a time, since some stop that server.
# These cases have "on STORE" in their names.
#
# COMPUTES: its own sources are optimised under sanitizers, too. Those of other tests
# are not, since they compile twice as fast so.
include(Catch)
function(longtail_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "COMPUTES" "STORE" "SOURCES;DEPENDS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/test
                                             ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} Catch2::Catch2WithMain longtail_flags)
  if(LONGTAIL_SANITIZE AND NOT arg_COMPUTES)
    target_compile_options(${name} PRIVATE -O0)
  endif()
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set(prefix ${folder})
  set(needs_server "")
  if(arg_STORE)
    string(APPEND prefix " on ${arg_STORE}")
    target_compile_definitions(${name} PRIVATE LONGTAIL_TEST_STORE="${arg_STORE}")
    target_link_libraries(${name} PRIVATE longtail_test_stores)
    if(NOT arg_STORE STREQUAL "file")
      set(needs_server FIXTURES_REQUIRED ${arg_STORE} RESOURCE_LOCK ${arg_STORE})
    endif()
  endif()
  catch_discover_tests(${name} TEST_PREFIX "${prefix}: "
    PROPERTIES TIMEOUT 120 LABELS "${folder}" SKIP_REGULAR_EXPRESSION "\\[skip\\]"
               ${needs_server})
endfunction()
