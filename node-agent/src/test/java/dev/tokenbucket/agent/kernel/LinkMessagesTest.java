// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
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

  private static NetlinkMessages.Part parse(byte[] bytes) {
    return NetlinkMessages.parse(bytes, bytes.length);
  }

  private static List<NetworkDevice> devices(byte[] bytes) {
    return LinkMessages.devices(parse(bytes).messages());
  }

  private static NetworkDevice device(
      int index, String name, String kind, Optional<Integer> lower, Optional<Integer> master) {
    return new NetworkDevice(index, name, List.of(), 0, kind, lower, master, false);
  }

  private static byte[] dump() {
    return join(
        link(2, attribute(NAME, "eth0"), attribute(MASTER, 4)),
        link(3, attribute(NAME, "eth0.7"), attribute(LINK, 2), kind("vlan")),
        link(4, attribute(NAME, "bond0"), kind("bond")));
  }

  @Test
  void whatADeviceStandsOnAndIsAPortOfIsRead() {
    assertThat(devices(dump()))
        .containsExactly(
            device(2, "eth0", "", Optional.empty(), Optional.of(4)),
            device(3, "eth0.7", "vlan", Optional.of(2), Optional.empty()),
            device(4, "bond0", "bond", Optional.empty(), Optional.empty()));
    assertThat(parse(dump()).last()).isFalse();
    assertThat(parse(join(dump(), message(3, new byte[4]))).last()).isTrue();
    assertThat(parse(message(2, new byte[20])).last()).isTrue();
    assertThat(parse(dump()).error()).isZero();
    assertThat(parse(Arrays.copyOf(dump(), dump().length - 4)).error()).isEqualTo(74);
  }

  private static byte[] gre(String kind, byte[]... data) {
    return attribute(LINK_INFO, join(attribute(1, kind), attribute(2, join(data))));
  }

  @Test
  void greWithoutAFixedRemoteShowsTheOuterHeader() {
    byte[] bytes =
        join(
            link(2, gre("gre", attribute(7, new byte[] {10, 0, 0, 1}))),
            link(3, gre("gre", attribute(7, new byte[4]))),
            link(4, gre("gre")),
            link(5, gre("gre", attribute(7, new byte[] {(byte) 224, 1, 2, 3}))),
            link(6, gre("gre", attribute(18, new byte[0]))),
            link(7, gre("ip6gre", attribute(7, new byte[16]))),
            link(8, gre("gretap", attribute(7, new byte[4]))));

    assertThat(devices(bytes))
        .filteredOn(NetworkDevice::showsOuterHeader)
        .extracting(NetworkDevice::index)
        .containsExactly(3, 4, 5, 7);
    assertThat(devices(bytes)).hasSize(7);
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

    assertThat(devices(bytes))
        .allSatisfy(device -> assertThat(device.lower()).isEmpty())
        .allSatisfy(device -> assertThat(device.master()).isEmpty())
        .hasSize(3);
  }

  @Test
  void whatAVxlanStandsOnIsInItsData() {
    byte[] data = attribute(2, attribute(3, 2));
    byte[] bytes =
        link(5, attribute(NAME, "vxlan0"), attribute(LINK_INFO, join(attribute(1, "vxlan"), data)));

    assertThat(devices(bytes))
        .containsExactly(device(5, "vxlan0", "vxlan", Optional.of(2), Optional.empty()));
  }

  @Test
  void theXdpProgramOfALinkIsRead() {
    byte[] xdp = attribute(43 | 0x8000, join(attribute(2, new byte[] {1}), attribute(4, 77)));

    assertThat(LinkMessages.xdpProgram(parse(link(2, attribute(NAME, "eth0"), xdp)).messages()))
        .contains(77L);
    byte[] none = attribute(43, attribute(2, new byte[] {0}));
    assertThat(LinkMessages.xdpProgram(parse(link(2, none)).messages())).isEmpty();
    assertThat(LinkMessages.xdpProgram(parse(link(2)).messages())).isEmpty();
  }

  @Test
  void alternativeNamesAreRead() {
    byte[] names = join(attribute(53, "enp1s0"), attribute(53, "a-name-longer-than-15-bytes"));

    assertThat(devices(link(2, attribute(NAME, "eth0"), attribute(52 | 0x8000, names))))
        .singleElement()
        .extracting(NetworkDevice::altNames)
        .isEqualTo(List.of("enp1s0", "a-name-longer-than-15-bytes"));
  }

  @Test
  void aDumpThatChangedWhileItWasReadIsToldApart() {
    byte[] bytes = dump();
    assertThat(parse(bytes).interrupted()).isFalse();
    ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putShort(6, (short) 0x10);
    assertThat(parse(bytes).interrupted()).isTrue();
  }

  @Test
  void aDumpCutShortAnywhereGivesWhatIsWhole() {
    byte[] whole = dump();
    for (int length = 0; length < whole.length; length++) {
      assertThat(devices(whole)).containsAll(devices(Arrays.copyOf(whole, length)));
    }
  }

  @Property
  void anyBytesAreRead(@ForAll @Size(max = 300) byte[] bytes) {
    assertThat(devices(bytes).size()).isLessThanOrEqualTo(bytes.length / 32);
  }

  @Property
  void oneWrongByteInADumpAddsNoDevice(@ForAll @IntRange(max = 227) int at, @ForAll byte value) {
    byte[] bytes = dump();
    bytes[at % bytes.length] = value;

    assertThat(devices(bytes).size()).isLessThanOrEqualTo(bytes.length / 32);
  }
}
