DROP FUNCTION stock_on_order(uuid[]), supplier_deliveries(uuid[]);
DROP TRIGGER give_department_to_proposals ON locations;
DROP TABLE order_proposals;
DROP FUNCTION give_department_of_location_to_proposals(), audit_order_proposals();
