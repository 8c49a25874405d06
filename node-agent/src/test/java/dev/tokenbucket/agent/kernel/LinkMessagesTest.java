package dev.tokenbucket.agent.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LinkMessagesTest {
  private static final int NAME = 3;
  private static final int LINK = 5;
  private static final int MASTER = 10;
  private static final int LINK_INFO = 18;
  private static final int LINK_NAMESPACE = 37;

  private static byte[] attribute(int type, byte[] value) {
    int size = 4 + value.length;
    return buffer((size + 3) & ~3).putShort((short) size).putShort((short) type).put(value).array();
  }

  private static byte[] attribute(int type, String text) {
    return attribute(type, (text + "\0").getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] attribute(int type, int number) {
    return attribute(type, buffer(4).putInt(number).array());
  }

  private static byte[] kind(String kind) {
    return attribute(LINK_INFO, attribute(1, kind));
  }

  private static byte[] link(int index, byte[]... attributes) {
    byte[] all = join(attributes);
    return message(16, buffer(16 + all.length).putInt(4, index).position(16).put(all).array());
  }

  private static byte[] message(int type, byte[] body) {
    return buffer(16 + body.length)
        .putInt(16 + body.length)
        .putShort((short) type)
        .position(16)
        .put(body)
        .array();
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(4096);
    for (byte[] part : parts) {
      all.put(part);
    }
    byte[] joined = new byte[all.flip().remaining()];
    all.get(joined);
    return joined;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  private static LinkMessages.Part parse(byte[] bytes) {
    return LinkMessages.parse(bytes, bytes.length);
  }

  private static byte[] dump() {
    return join(
        link(2, attribute(NAME, "eth0"), attribute(MASTER, 4)),
        link(3, attribute(NAME, "eth0.7"), attribute(LINK, 2), kind("vlan")),
        link(4, attribute(NAME, "bond0"), kind("bond")));
  }

  @Test
  void whatADeviceStandsOnAndIsAPortOfIsRead() {
    assertThat(parse(dump()).devices())
        .containsExactly(
            new NetworkDevice(2, "eth0", "", Optional.empty(), Optional.of(4)),
            new NetworkDevice(3, "eth0.7", "vlan", Optional.of(2), Optional.empty()),
            new NetworkDevice(4, "bond0", "bond", Optional.empty(), Optional.empty()));
    assertThat(parse(dump()).last()).isFalse();
    assertThat(parse(join(dump(), message(3, new byte[4]))).last()).isTrue();
    assertThat(parse(message(2, new byte[20])).last()).isTrue();
  }

  @Test
  void theOtherEndOfAPairAndADeviceOfAnotherNamespaceAreNotBeneath() {
    byte[] bytes =
        join(
            link(2, attribute(NAME, "eth0"), attribute(LINK, 3), kind("veth")),
            link(
                3,
                attribute(NAME, "macvlan0"),
                attribute(LINK, 2),
                attribute(LINK_NAMESPACE, 0),
                kind("macvlan")),
            link(4, attribute(NAME, "self"), attribute(LINK, 4), attribute(MASTER, 0)));

    assertThat(parse(bytes).devices())
        .allSatisfy(device -> assertThat(device.lower()).isEmpty())
        .allSatisfy(device -> assertThat(device.master()).isEmpty())
        .hasSize(3);
  }

  @Test
  void aDumpCutShortAnywhereGivesWhatIsWhole() {
    byte[] whole = dump();
    for (int length = 0; length < whole.length; length++) {
      assertThat(parse(whole).devices()).containsAll(LinkMessages.parse(whole, length).devices());
    }
  }

  @Property
  void anyBytesAreRead(@ForAll @Size(max = 300) byte[] bytes) {
    assertThat(parse(bytes).devices().size()).isLessThanOrEqualTo(bytes.length / 32);
  }

  @Property
  void oneWrongByteInADumpAddsNoDevice(@ForAll @IntRange(max = 227) int at, @ForAll byte value) {
    byte[] bytes = dump();
    bytes[at % bytes.length] = value;

    assertThat(parse(bytes).devices().size()).isLessThanOrEqualTo(bytes.length / 32);
  }
}
