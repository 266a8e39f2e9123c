// Asks everything that AgentPhone's own Node client knows of usage, and prints what it read as one line of JSON.
// Arguments: the address, the API key, and a sub-account's id ("" for the master account).
const { AgentPhoneClient } = require("agentphone");

const [baseUrl, token, sub] = process.argv.slice(2);
const headers = sub ? { "X-Sub-Account-Id": sub } : {};
const client = new AgentPhoneClient({ baseUrl, token, headers, maxRetries: 0 });

const refusal = (asked) => asked.then(() => null, (error) => ({ status: error.statusCode, body: error.body }));

(async () => {
  const read = {
    usage: await client.usage.getUsage(),
    daily: await client.usage.getDailyUsage({ days: 40 }),
    monthly: await client.usage.getMonthlyUsage(),
    numbers: await client.usage.getUsageByNumber(),
    agents: await client.usage.getUsageByAgent({ period: "month", tz: "UTC" }),
    deliveries: await client.webhooks.deliveryStats({ hours: 1 }),
    subAccounts: await client.subAccounts.listSubAccounts({ limit: 3, offset: 1 }),
    tooManyDays: await refusal(client.usage.getDailyUsage({ days: 366 })),
    wrongKey: await refusal(new AgentPhoneClient({ baseUrl, token: "no" }).usage.getUsage()),
  };
  console.log(JSON.stringify(read));
})();
