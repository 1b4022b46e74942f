# adit_room(NAME SOURCES file... LINKS target...)
#
# A room is one static library, adit_NAME, that links only what its place in the house permits: a call to a room that
# is not to its right does not link, and tests/include_directions holds the #include lines to the same order.
get_filename_component(ADIT_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

function(adit_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS" ${ARGN})
  add_library(adit_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(adit_${name} PUBLIC ${ADIT_ROOT})
  target_link_libraries(adit_${name} PUBLIC ${ROOM_LINKS})
endfunction()

# adit_off_the_path(TARGET [SOURCES file...]): no packet passes through it, or through these files of it, so a debug build
# does not optimise them: with sanitizers that takes the compiler longer than all the rest.  Fuzzers want it fast.
function(adit_off_the_path target)
  cmake_parse_arguments(OFF "" "" "SOURCES" ${ARGN})
  if(ADIT_FUZZ)
    return()
  endif()
  if(OFF_SOURCES)
    set_source_files_properties(${OFF_SOURCES} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Debug>:-O0>)
  else()
    target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
endfunction()

# adit_test(ROOM SOURCES file... LINKS target...): the tests of one room, one program, each TEST a ctest of its own.  What
# all of them read takes the compiler a quarter of its time, and is compiled once.
function(adit_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
  if(TARGET house_test)
    set(precompiled REUSE_FROM house_test)
  else()
    set(precompiled PRIVATE <gtest/gtest.h> <algorithm> <chrono> <filesystem> <functional> <map> <random> <span>)
  endif()
  add_executable(${room}_test ${TEST_SOURCES})
  target_link_libraries(${room}_test PRIVATE ${TEST_LINKS} GTest::gtest_main)
  target_compile_definitions(${room}_test PRIVATE ADIT_SOURCE_DIR="${ADIT_ROOT}")
  adit_off_the_path(${room}_test)
  target_precompile_headers(${room}_test ${precompiled})
  gtest_discover_tests(${room}_test TEST_PREFIX "${room}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()
