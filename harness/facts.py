"""What is known of the outage that this harness was born from?

Read from the press and told in our own words. Scenarios and checks name the facts that they answer
to by number, so that a reader can see why a number is what it is. The reports give three payment
channels, 40 % more orders, three million users, half an hour without an answer, 230 million reads
and a quarter more such failures in a year; every other number in this project is chosen, not reported.
"""

from collections.abc import Mapping
from types import MappingProxyType

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "F01": "Within minutes of the evening peak payments failed across the whole country.",
        "F02": "WeChat Pay, Alipay and bank cards failed alike; changing the method was no way out.",
        "F03": "Again and again the app said that the system was busy and to try later.",
        "F04": "People tried over and over, with every method they had.",
        "F05": "Some orders vanished while they were being paid.",
        "F06": "More than three million users could not pay.",
        "F07": "Rides, food delivery and supermarkets were hit together.",
        "F08": "Some waited half an hour and got no answer at all.",
        "F09": "Rides ended unpaid, a delivery nearly went astray, flights were missed.",
        "F10": "The operator first spoke of a sudden overload of its servers.",
        "F11": "Customer service spoke of a short disruption by a system upgrade, which contradicts F10.",
        "F12": "An engineer suspected that some merchants' interfaces did not fit a new version of the API.",
        "F13": "An upgrade that was tested too little tends to set off a chain reaction.",
        "F14": "It was the autumn travel festival, with 40 % more orders a day than usual.",
        "F15": "An order that runs out of time should be refunded unasked; that did not begin.",
        "F16": "Compensation should come first and the argument later, by a published rule.",
        "F17": "Those who were hit should be served before new business.",
        "F18": "Stability should be tested more thoroughly.",
        "F19": "An architect asked for gradual releases, and for an emergency channel beside them.",
        "F20": "Users were told to keep another way to pay at hand.",
        "F21": "Who is liable for what should be written down, so a verdict must be evidence.",
        "F22": "A rating of reliability was proposed that counts how quickly a failure is answered.",
        "F23": "The first explanation convinced nobody, and word came late.",
        "F24": "People feared for their money and for their personal data.",
        "F25": "Failures caused by upgrades had grown by a quarter in a year.",
        "F26": "One report tells of the morning, another of the evening.",
        "F27": "The topic was read 230 million times, some 77 times for each user who could not pay.",
        "F28": "Complaints went to the operator's own line and to a public platform.",
        "F29": "Users were told to wait for news on the official channel.",
        "F30": "The load may have gone far beyond anything expected.",
    }
)
"""Number -> the fact in a sentence."""

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "F06": "the judge: SQL with bounded memory, whatever the number of orders",
        "F18": "this harness: before every release and every night",
        "F22": "the incident's clocks, and the rating made of them",
        "F25": "every night, which has upgrades beside outages",
    }
)
"""Facts that something else answers to than a scenario or a check alone, and what."""
