// dotnet run Token.cs, with .NET 10 and its own library alone.
using var client = new HttpClient();
var secret = File.ReadAllText(Environment.GetEnvironmentVariable("AGENT_TOKEN_FILE")!);
client.DefaultRequestHeaders.Add("X-Token-Broker-Agent-Token", secret);
var url = Environment.GetEnvironmentVariable("AGENT_URL") + "/tokens/helpdesk/88";
Console.WriteLine(await client.GetStringAsync(url));
