// dotnet run Request.cs, with .NET 10 or later.
#:package AwsSignatureVersion4@5.0.2
using Amazon.Runtime;

string Env(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"{name} is not set");

var credentials = new ImmutableCredentials(
    Env("AWS_ACCESS_KEY_ID"), Env("AWS_SECRET_ACCESS_KEY"), Environment.GetEnvironmentVariable("AWS_SESSION_TOKEN"));

using var client = new HttpClient();
var answer = await client.GetAsync(
    $"{Env("TOKEN_BROKER_URL")}/tokens/helpdesk/system",
    regionName: Env("AWS_REGION"),
    serviceName: "execute-api",
    credentials: credentials);
answer.EnsureSuccessStatusCode();
Console.WriteLine(await answer.Content.ReadAsStringAsync());
