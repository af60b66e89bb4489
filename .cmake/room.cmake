# room(NAME USES room… THIRD target…): one static library for each room of src/, whose link list is the include
# rule. A room's headers are reached as "room/file.h" through a folder that holds that room alone, so an include
# of a room that is not in USES does not compile.
set_property(GLOBAL PROPERTY OUTRIGGER_ROOMS "")

function(room name)
  cmake_parse_arguments(ROOM "" "" "USES;THIRD" ${ARGN})
  set(door "${CMAKE_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${door}")
  file(CREATE_LINK "${CMAKE_SOURCE_DIR}/src/${name}" "${door}/${name}" SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(room_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(room_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(room_${name} ${scope} "${door}")
  list(TRANSFORM ROOM_USES PREPEND room_)
  target_link_libraries(room_${name} ${scope} ${ROOM_USES} ${ROOM_THIRD})
endfunction()
