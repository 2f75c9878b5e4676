// SPDX-License-Identifier: MIT
// AsyncHttp IP PORT: fetches /page 10 times at once with a Selector and once with a URL and a time limit, and compares them.
import java.io.ByteArrayOutputStream;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.Arrays;

public class AsyncHttp {
  static boolean endsWith(byte[] answer, byte[] page) {
    return answer.length > page.length &&
           Arrays.equals(page, Arrays.copyOfRange(answer, answer.length - page.length, answer.length));
  }

  public static void main(String[] arguments) throws Exception {
    byte[] page = Files.readAllBytes(Path.of("page"));
    InetSocketAddress where = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    Selector selector = Selector.open();
    for (int i = 0; i < 10; ++i) {
      SocketChannel channel = SocketChannel.open();
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_CONNECT, new ByteArrayOutputStream());
      channel.connect(where);
    }
    int same = 0;
    ByteBuffer buffer = ByteBuffer.allocate(65536);
    while (!selector.keys().isEmpty()) {
      selector.select();
      for (SelectionKey key : selector.selectedKeys()) {
        SocketChannel channel = (SocketChannel)key.channel();
        ByteArrayOutputStream answer = (ByteArrayOutputStream)key.attachment();
        if (key.isConnectable() && channel.finishConnect()) {
          if (!channel.getRemoteAddress().equals(where))
            throw new Exception("connected to " + channel.getRemoteAddress());
          channel.write(ByteBuffer.wrap("GET /page HTTP/1.0\r\n\r\n".getBytes()));
          key.interestOps(SelectionKey.OP_READ);
        } else if (channel.read(buffer.clear()) >= 0) {
          answer.write(buffer.array(), 0, buffer.position());
        } else {
          channel.close();
          same += endsWith(answer.toByteArray(), page) ? 1 : 0;
        }
      }
      selector.selectedKeys().clear();
      selector.selectNow();
    }
    System.out.println("NIO: " + same);
    URLConnection url = new URL("http://" + arguments[0] + ":" + arguments[1] + "/page").openConnection();
    url.setConnectTimeout(10000);
    System.out.println("URL: " + Arrays.equals(url.getInputStream().readAllBytes(), page));
  }
}
