// Prints what ical.js reads in the calendar on its standard input: one JSON list of events, their times as instants.
// The first argument is the folder that holds the installed package.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const place = createRequire(`${process.argv[2]}/package.json`).resolve("ical.js");
const { default: ICAL } = await import(pathToFileURL(place).href);
const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const said = (time) => (time.isDate ? time.toString() : new Date(time.toUnixTime() * 1000).toISOString());
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const value = (name) => component.getFirstPropertyValue(name);
  return {
    uid: event.uid,
    summary: event.summary,
    starts: said(event.startDate),
    ends: said(event.endDate),
    sequence: event.sequence,
    status: value("status"),
    stamp: said(value("dtstamp")),
    categories: component.getFirstProperty("categories").getValues(),
  };
});
process.stdout.write(JSON.stringify(events));
