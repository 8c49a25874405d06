package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a map that belongs to one program is to hold before the program is attached.
 *
 * @param map the map's name in the object
 * @param entries its size; at least as many as there are elements, and at least 1
 * @param valueSize bytes of a value
 */
public record MapContents(String map, int entries, int valueSize, List<Element> elements) {
  public MapContents {
    elements = List.copyOf(elements);
  }

  /** A key and its value, in the byte order of the host unless the map says otherwise. */
  public record Element(ByteBuffer key, ByteBuffer value) {}
}
