//! The shop's tables.

/// The tables, parents first: their names and what is between the parentheses.
///
/// Character sets and collations are those that MySQL 5.6 has too.
pub(super) fn tables(json: bool) -> Vec<(&'static str, String)> {
    let json = if json { "JSON" } else { "MEDIUMTEXT" };
    vec![
        ("customers", CUSTOMERS.to_owned()),
        ("products", PRODUCTS.replace("{json}", json)),
        ("orders", ORDERS.to_owned()),
        ("order_items", ORDER_ITEMS.to_owned()),
        ("payments", PAYMENTS.to_owned()),
        ("reviews", REVIEWS.replace("{json}", json)),
        ("audit_log", AUDIT_LOG.to_owned()),
        ("tills", TILLS.to_owned()),
    ]
}

const CUSTOMERS: &str = "
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  email VARCHAR(120) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  name VARCHAR(80) NOT NULL,
  country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tier ENUM('new','régulier','gold') NOT NULL DEFAULT 'new',
  interests SET('music','books','garden','toys','sport') NOT NULL,
  balance DECIMAL(12,2) NOT NULL DEFAULT 0,
  visits INT UNSIGNED NOT NULL DEFAULT 0,
  birthday DATE DEFAULT NULL,
  avatar BLOB,
  created_at DATETIME(3) NOT NULL,
  changed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY email (email),
  KEY by_country (country, tier)";

const PRODUCTS: &str = "
  id MEDIUMINT UNSIGNED NOT NULL AUTO_INCREMENT,
  sku CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(120) NOT NULL,
  description TEXT,
  price DECIMAL(10,2) NOT NULL,
  weight FLOAT DEFAULT NULL,
  rating DOUBLE DEFAULT NULL,
  stock INT NOT NULL DEFAULT 0,
  flags BIT(12) NOT NULL DEFAULT b'0',
  first_year YEAR DEFAULT NULL,
  attributes {json},
  photo MEDIUMBLOB,
  PRIMARY KEY (id),
  UNIQUE KEY sku (sku),
  KEY by_name (name(20))";

const ORDERS: &str = "
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  customer_id INT UNSIGNED NOT NULL,
  status ENUM('placed','paid','sent','returned') NOT NULL DEFAULT 'placed',
  placed_at DATETIME(6) NOT NULL,
  ready_in TIME(2) DEFAULT NULL,
  total DECIMAL(14,2) NOT NULL DEFAULT 0,
  note VARCHAR(200) CHARACTER SET latin1 DEFAULT NULL,
  PRIMARY KEY (id),
  KEY by_customer (customer_id, placed_at),
  KEY by_status (status),
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)";

const ORDER_ITEMS: &str = "
  order_id BIGINT UNSIGNED NOT NULL,
  line TINYINT UNSIGNED NOT NULL,
  product_id MEDIUMINT UNSIGNED NOT NULL,
  quantity SMALLINT NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (order_id, line),
  KEY by_product (product_id),
  CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT items_product FOREIGN KEY (product_id) REFERENCES products (id)";

const PAYMENTS: &str = "
  id BINARY(16) NOT NULL,
  order_id BIGINT UNSIGNED NOT NULL,
  method ENUM('card','transfer','cash') NOT NULL,
  amount DECIMAL(14,2) NOT NULL,
  reference VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  paid_at TIMESTAMP NULL DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY reference (reference),
  KEY by_order (order_id),
  CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (id)";

const REVIEWS: &str = "
  product_id MEDIUMINT UNSIGNED NOT NULL,
  customer_id INT UNSIGNED NOT NULL,
  stars TINYINT NOT NULL,
  body TEXT,
  details {json},
  written_at DATETIME NOT NULL,
  PRIMARY KEY (product_id, customer_id),
  KEY by_customer (customer_id),
  CONSTRAINT reviews_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT reviews_customer FOREIGN KEY (customer_id) REFERENCES customers (id)";

/// No key that tells its rows apart, and rows that are there several times.
const AUDIT_LOG: &str = "
  at DATETIME(6) NOT NULL,
  writer SMALLINT UNSIGNED NOT NULL,
  action VARCHAR(20) NOT NULL,
  subject BIGINT UNSIGNED DEFAULT NULL,
  detail TEXT,
  KEY by_subject (subject)";

const TILLS: &str = "
  id SMALLINT UNSIGNED NOT NULL,
  sales BIGINT UNSIGNED NOT NULL DEFAULT 0,
  takings DECIMAL(16,2) NOT NULL DEFAULT 0,
  PRIMARY KEY (id)";
