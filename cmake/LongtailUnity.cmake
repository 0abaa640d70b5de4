# longtail_unity()
#
# For builds with CMAKE_UNITY_BUILD, as the preset dev and those made of it are: several sources of
# a target are one unit of the compiler, which then reads their headers once. Sources named in
# unity_alone.txt are units of their own, since each has a name that another source of its target
# has, too. Call it when all targets are there.
function(longtail_unity_directories result directory)
  set(all ${directory})
  get_property(lower DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(item IN LISTS lower)
    longtail_unity_directories(below ${item})
    list(APPEND all ${below})
  endforeach()
  set(${result} ${all} PARENT_SCOPE)
endfunction()

function(longtail_unity)
  if(NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  set(names ${PROJECT_SOURCE_DIR}/cmake/unity_alone.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${names})
  file(STRINGS ${names} alone REGEX "^[^#]")
  foreach(source IN LISTS alone)
    # Images are built of a part of the tree, without tests and benchmarks.
    string(REGEX MATCH "^[^/]+" folder ${source})
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder} AND NOT EXISTS ${PROJECT_SOURCE_DIR}/${source})
      message(FATAL_ERROR "${names} names ${source}, which is not there")
    endif()
  endforeach()
  list(TRANSFORM alone PREPEND ${PROJECT_SOURCE_DIR}/)
  longtail_unity_directories(directories ${PROJECT_SOURCE_DIR})
  set_source_files_properties(${alone} DIRECTORY ${directories}
    PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
