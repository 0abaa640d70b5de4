# Which stores beyond directories this build has: LONGTAIL_WITH_RADOS and LONGTAIL_WITH_ETCD.
#
# AUTO takes a library where it is found, ON wants it there, OFF does not look.
set(LONGTAIL_RADOS AUTO CACHE STRING "Stores in Ceph, with librados: AUTO, ON or OFF")
set(LONGTAIL_ETCD AUTO CACHE STRING "A coordinator's state in etcd, with libcurl: AUTO, ON or OFF")
set_property(CACHE LONGTAIL_RADOS LONGTAIL_ETCD PROPERTY STRINGS AUTO ON OFF)

function(longtail_store name package option)
  if(${option} STREQUAL "AUTO")
    find_package(${package} QUIET)
  elseif(${option})
    find_package(${package} REQUIRED)
  endif()
  if(${option} AND ${package}_FOUND)
    set(LONGTAIL_WITH_${name} ON PARENT_SCOPE)
    set(word "with")
  else()
    set(LONGTAIL_WITH_${name} OFF PARENT_SCOPE)
    set(word "without")
  endif()
  message(STATUS "longtail: ${word} stores in ${name} (${option}=${${option}})")
endfunction()

longtail_store(RADOS Rados LONGTAIL_RADOS)
longtail_store(ETCD CURL LONGTAIL_ETCD)
