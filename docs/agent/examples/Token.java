// java Token.java, with Java 17 or later and the JDK alone.
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;

class Token {
  public static void main(String[] args) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(System.getenv("AGENT_URL") + "/tokens/helpdesk/88"))
        .header("X-Token-Broker-Agent-Token", Files.readString(Path.of(System.getenv("AGENT_TOKEN_FILE"))));
    var answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new Exception("no token: " + answer.body());
    System.out.println(answer.body());
  }
}
